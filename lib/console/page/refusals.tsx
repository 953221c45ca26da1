import type { Reason } from '../../decision/reason.ts';
import { codeOf, statusOf } from '../../respond/denial.ts';
import type { HealthFacts } from '../health/facts.ts';
import { Health } from '../health/view.tsx';
import { Heading, Notice } from './parts.tsx';

/** A screen that is not there. */
export function Plain() {
  return <Heading title="There is no such screen.">Choose one on the left.</Heading>;
}

/** What the pipeline refused. `facts`: in an outage of ours, how everything fares. */
export function Denied(props: {
  readonly denial: Reason;
  readonly facts: HealthFacts | null;
  readonly archiveSeconds: number;
}) {
  const { denial, facts } = props;
  const title = `${statusOf(denial)} ${codeOf(denial)}`;
  if (facts !== null)
    return (
      <>
        <Notice kind="bad" title={`${title}: the screen you asked for is closed.`}>
          The authorizer cannot check now whether your session was revoked, or cannot record what you look at. Health
          stays open, since it shows nothing of any caller.
        </Notice>
        <Health facts={facts} archiveSeconds={props.archiveSeconds} />
      </>
    );
  return (
    <>
      <Heading title="Not allowed" />
      <Notice kind="bad" title={title}>
        {denial.reason === 'scope_missing'
          ? `This needs the scope ${denial.scope}, which your session does not hold. Sign in with a token that does.`
          : 'Your session does not reach so far, or there is no such page.'}
      </Notice>
    </>
  );
}
