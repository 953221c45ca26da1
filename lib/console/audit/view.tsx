import { count, dateTime, duration } from '../page/format.ts';
import { Csrf, Empty, Field, Heading, Notice, Section, Table } from '../page/parts.tsx';
import type { AnchorState } from './anchors.ts';
import { Report } from './report.tsx';
import type { Verified } from './verification.ts';

/** The screen *Audit*. `state`: whether there is an archive, and whether it answers. */
export function AuditScreen(props: {
  readonly state: 'open' | 'none' | 'silent';
  readonly anchors: readonly AnchorState[];
  readonly last: Verified | null;
  readonly isRunning: boolean;
  readonly problem: string | null;
  readonly csrf: string;
  readonly nowMs: number;
}) {
  const { state, anchors, last, isRunning, problem, csrf, nowMs } = props;
  return (
    <>
      <Heading title="Audit">
        Whether anything in the archive of records was altered, lost or put out of order since it was written.
      </Heading>
      {problem !== null && <Notice kind="bad" title={problem} />}
      {state === 'silent' && (
        <Notice kind="bad" title="The archive does not answer.">
          Check the bucket of TGEFD_AUDIT_BUCKET and the credentials for it. <a href="/health">Health</a> tells whether
          records pile up.
        </Notice>
      )}
      {state === 'none' && (
        <Empty title="There is no archive to read.">
          Set TGEFD_AUDIT_BUCKET and TGEFD_AUDIT_SIGNING_KEY, so that records are archived and can be verified.
        </Empty>
      )}
      <Section title="Last verification">
        {last === null ? (
          <Empty title="Nothing was verified since this process began." />
        ) : (
          <Report verified={last} csrf={csrf} nowMs={nowMs} />
        )}
      </Section>
      {state !== 'none' && (
        <>
          <Section title="Verify or download">
            <RangeForm csrf={csrf} isRunning={isRunning} />
          </Section>
          <Section title="Anchors" aside={<span class="quiet">of the last 12 hours, times in UTC</span>}>
            <Anchors anchors={anchors} isSilent={state === 'silent'} />
          </Section>
        </>
      )}
    </>
  );
}

function RangeForm({ csrf, isRunning }: { readonly csrf: string; readonly isRunning: boolean }) {
  return (
    <form class="sheet form" method="post" action="/audit/verify" autocomplete="off" data-progress>
      <Csrf token={csrf} />
      <Field label="From (UTC)" name="from" help="Empty: from the beginning.">
        <input type="datetime-local" id="from" name="from" step="1" aria-describedby="from-help" />
      </Field>
      <Field label="To (UTC)" name="to" help="Empty: to the end.">
        <input type="datetime-local" id="to" name="to" step="1" aria-describedby="to-help" />
      </Field>
      <div class="actions">
        <button type="submit" disabled={isRunning}>
          Verify
        </button>
        <button type="submit" class="second" formaction="/audit/download">
          Download records
        </button>
        <span class="help">{isRunning ? 'A verification is running.' : 'Records hold pseudonyms, no names.'}</span>
      </div>
      <div class="actions" id="progress" hidden>
        <progress id="progress-bar" aria-label="Verification"></progress>
        <span id="progress-text" role="status"></span>
      </div>
    </form>
  );
}

const STATES: Readonly<Record<AnchorState['state'], readonly [kind: string, text: string]>> = {
  genuine: ['mark mark-good', 'genuine'],
  missing: ['mark', 'none'],
  malformed: ['mark mark-bad', 'altered'],
  forged: ['mark mark-bad', 'forged'],
};

function Anchors({ anchors, isSilent }: { readonly anchors: readonly AnchorState[]; readonly isSilent: boolean }) {
  if (isSilent) return <Empty title="Unknown: the archive does not answer." />;
  if (anchors.every(({ state }) => state === 'missing'))
    return (
      <Empty title="There is no anchor of the last 12 hours.">
        The archive makes one an hour, once it has written. Without one, a tail that was cut off would not show.
      </Empty>
    );
  const shown = anchors.slice(0, anchors.findLastIndex(({ state }) => state !== 'missing') + 1);
  const hoursBefore = anchors.length - shown.length;
  const hasCopies = shown.some(({ isCopied }) => isCopied !== null);
  const head = [
    ['Hour', 'nowrap'],
    ['Anchor'],
    ['Made', 'nowrap'],
    ['Chains', 'num'],
    ['Batches', 'num'],
    ['Copy in the second bucket'],
  ] as const;
  return (
    <>
      <Table label="Anchors" head={hasCopies ? head : head.slice(0, 5)}>
        {shown.map(({ hourMs, state, createdMs, heads, isCopied }) => (
          <tr>
            <th scope="row" class="nowrap">
              {dateTime(hourMs).slice(0, 16)}
            </th>
            <td data-label="Anchor">
              <span class={STATES[state][0]}>{STATES[state][1]}</span>
            </td>
            <td class="nowrap" data-label="Made">
              {createdMs === null ? '–' : `${duration((createdMs - hourMs) / 1000)} after it began`}
            </td>
            <td class="num" data-label="Chains">
              {count(heads.length)}
            </td>
            <td class="num" data-label="Batches">
              {count(heads.reduce((sum, { sequence }) => sum + sequence, 0))}
            </td>
            {hasCopies && (
              <td data-label="Copy">
                <span class={isCopied ? 'is-good' : undefined}>
                  {isCopied ? 'there' : state === 'missing' ? '–' : 'missing'}
                </span>
              </td>
            )}
          </tr>
        ))}
      </Table>
      {hoursBefore > 0 && <p class="quiet">{`The ${hoursBefore} hours before have no anchor.`}</p>}
    </>
  );
}
