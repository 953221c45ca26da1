import { TrafficChart } from '../page/chart.tsx';
import { clockTime, count, duration, share, visible } from '../page/format.ts';
import { Empty, Figure, Heading, Notice, Section, Table } from '../page/parts.tsx';
import type { DeniedGroup, DeniedSummary } from '../records/summary.ts';
import { adviceFor, isOurs } from './advice.ts';

/** What the live screen is sent: the summary, with what only the server knows of each group. */
export function liveSummary(summary: DeniedSummary) {
  const groups = summary.groups.map((group) => ({
    ...group,
    advice: adviceFor(group.reason),
    isOurs: isOurs(group.status),
  }));
  return { ...summary, groups };
}

/** The screen *Denied now*. `summary` null: there is no outbox to read. */
export function DeniedScreen(props: {
  readonly summary: DeniedSummary | null;
  readonly live: 'events' | 'polling';
  readonly readAtMs: number | null;
}) {
  const { summary, live, readAtMs } = props;
  if (summary === null) return <NoOutbox />;
  const { groups, allowed, denied, isAnswering, slices, fromMs, atMs } = summary;
  const ours = groups.filter(({ status }) => isOurs(status));
  const oursCount = ours.reduce((sum, group) => sum + group.count, 0);
  return (
    <div class="live-root" data-live={live}>
      <div class="heading">
        <h1>Denied now</h1>
        <p class="lead">
          Records that are not archived yet, at most of the last 15 minutes. The page keeps itself up to date.
        </p>
        <div class="bar">
          <span id="live-state" class={isAnswering ? 'live live-on' : 'live live-off'} role="status">
            {isAnswering ? 'Live' : 'Outbox does not answer'}
          </span>
          <button type="button" class="second small" id="live-pause" aria-pressed="false">
            Pause
          </button>
        </div>
      </div>
      <Notice kind="bad" title="The outbox does not answer." id="outbox-down" hidden={isAnswering}>
        {`What you see is ${readAtMs === null ? 'nothing yet' : `as of ${clockTime(readAtMs)} UTC`}. Check the store of TGEFD_REDIS_URL; `}
        <a href="/health">Health</a> says more.
      </Notice>
      {oursCount > 0 && (
        <Notice kind="bad" title={`It is us: ${count(oursCount)} requests were refused by an outage of our own.`}>
          {`${[...new Set(ours.map(({ code }) => code))].join(', ')}. Callers did nothing wrong. `}
          <a href="/health">Look at Health first.</a>
        </Notice>
      )}
      <dl class="figures">
        <Figure name="Denied" value={count(denied)} id="f-denied" />
        <Figure name="Allowed" value={count(allowed)} id="f-allowed" />
        <Figure name="Share denied" value={share(denied, allowed + denied)} id="f-share" />
        <Figure name="Kinds of denial" value={count(groups.length + summary.groupsLeftOut)} id="f-groups" />
      </dl>
      <TrafficChart slices={slices} from={clockTime(fromMs).slice(0, 5)} to={clockTime(atMs).slice(0, 5)} />
      <Section
        title="By endpoint, code and reason"
        aside={<span class="quiet">{duration((atMs - fromMs) / 1000)}, most first, times in UTC</span>}
      >
        <Groups groups={groups} />
      </Section>
    </div>
  );
}

function Groups({ groups }: { readonly groups: readonly DeniedGroup[] }) {
  const head = [
    ['Denied', 'num'],
    ['Endpoint', 'wide'],
    ['Code and reason', 'wide'],
    ['Callers', 'num'],
    ['Last (UTC)', 'nowrap'],
    ['What to do', 'wide'],
  ] as const;
  return (
    <>
      <div id="no-denials" hidden={groups.length > 0}>
        <Empty title="Nobody was denied.">
          Callers get what they ask for, as far as the outbox tells. New denials appear here by themselves.
        </Empty>
      </div>
      <div id="denials" hidden={groups.length === 0}>
        <Table label="Denials by endpoint, code and reason" head={head} bodyId="groups">
          {groups.map((group) => (
            <Row group={group} />
          ))}
        </Table>
      </div>
      <template id="group-row">
        <Row group={null} />
      </template>
    </>
  );
}

/** One group; without one, the pattern by which the script makes rows. */
function Row({ group }: { readonly group: DeniedGroup | null }) {
  const link = group === null ? '/why' : `/why?request_id=${encodeURIComponent(group.lastRequestId)}`;
  return (
    <tr data-key={group?.key} class={group !== null && isOurs(group.status) ? 'is-ours' : undefined}>
      <td class="num count" data-part="count">
        {group === null ? '' : count(group.count)}
      </td>
      <td>
        <code data-part="endpoint">{group === null ? '' : visible(group.endpoint)}</code>
      </td>
      <td>
        <span class="code">
          <span data-part="status">{group?.status ?? ''}</span> <span data-part="code">{group?.code ?? ''}</span>
        </span>
        <span class="sub">
          <span data-part="reason">{group?.reason ?? ''}</span>{' '}
          <span data-part="detail">{group === null ? '' : visible(group.detail, 80)}</span>
        </span>
      </td>
      <td class="num" data-label="Callers">
        <span data-part="callers">{group === null ? '' : count(group.callers)}</span>
      </td>
      <td class="nowrap" data-label="Last (UTC)">
        <a href={link} data-part="link" title="Why was this request denied?">
          <span data-part="last">{group === null ? '' : clockTime(group.lastMs)}</span>
        </a>
      </td>
      <td data-label="What to do">
        <span data-part="advice">{group === null ? '' : adviceFor(group.reason)}</span>
      </td>
    </tr>
  );
}

function NoOutbox() {
  return (
    <>
      <Heading title="Denied now" />
      <Notice kind="warn" title="There is no outbox to read.">
        This screen reads the audit records that wait for the archive. Set <code>TGEFD_REDIS_URL</code>, so that all
        instances share one, or <code>TGEFD_AUDIT_BUCKET</code> for one process.
      </Notice>
    </>
  );
}
