import type { AccessChange, PolicyDifference } from '../../policy/diff/compare.ts';
import { count, visible } from '../page/format.ts';
import { Empty, Table } from '../page/parts.tsx';
import type { Observed } from './observed.ts';

const KINDS: Readonly<Record<Observed['kind'], string>> = {
  would_deny: 'would be denied',
  shadow_denies: 'the second table denies',
  shadow_allows: 'the second table allows',
  shadow_differs: 'the second table denies otherwise',
};

/** What a trial would decide otherwise: as requests showed it, and as the two tables say. */
export function Trial(props: { readonly shadow: PolicyDifference | null; readonly observed: readonly Observed[] }) {
  const { shadow, observed } = props;
  if (shadow === null && observed.length === 0)
    return (
      <Empty title="Nothing is on trial.">
        TGEFD_SHADOW_ENDPOINTS decides by a second table beside this one. TGEFD_SHADOW_UNTIL records denials only.
      </Empty>
    );
  const head = [
    ['Requests', 'num'],
    ['Endpoint', 'wide'],
    ['Difference', 'wide'],
    ['Callers', 'num'],
  ] as const;
  return (
    <>
      <h3>In requests of the last 15 minutes</h3>
      {observed.length === 0 ? (
        <Empty title="No request was decided otherwise." />
      ) : (
        <Table label="Differences in requests" head={head}>
          {observed.map((row) => (
            <tr>
              <td class="num count">{count(row.count)}</td>
              <td>
                <code>{visible(row.endpoint)}</code>
              </td>
              <td data-label="Difference">{`${KINDS[row.kind]}${row.code === null ? '' : ` (${row.code})`}`}</td>
              <td class="num" data-label="Callers">
                {count(row.callers.size)}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {shadow !== null && (
        <>
          <h3>By the tables</h3>
          <Changes shadow={shadow} />
        </>
      )}
    </>
  );
}

function Changes({ shadow: { gains, losses, others } }: { readonly shadow: PolicyDifference }) {
  if (gains.length + losses.length + others.length === 0)
    return <Empty title="The second table lets the same callers in, on the same conditions." />;
  return (
    <Table label="What the second table changes" head={[['Change'], ['Endpoint', 'wide'], ['Caller', 'wide']]}>
      {losses.map((change) => (
        <Change change={change} kind="bad" text="loses" />
      ))}
      {gains.map((change) => (
        <Change change={change} kind="good" text="gains" />
      ))}
      {others.map(({ at, before, after }) => (
        <tr>
          <td>
            <span class="mark">changes</span>
          </td>
          <td>
            <code>{visible(at)}</code>
          </td>
          <td data-label="From">
            <code>{`${visible(before, 120)} → ${visible(after, 120)}`}</code>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Change(props: { readonly change: AccessChange; readonly kind: 'bad' | 'good'; readonly text: string }) {
  const { change, kind, text } = props;
  return (
    <tr>
      <td>
        <span class={`mark mark-${kind}`}>{text}</span>
      </td>
      <td>
        <code>{visible(change.endpoint)}</code>
      </td>
      <td data-label="Caller">{visible(change.caller)}</td>
    </tr>
  );
}
