import type { Finding } from '../../verify/findings.ts';
import { count, dateTime, duration, visible } from '../page/format.ts';
import { Csrf, Figure, Notice, Table } from '../page/parts.tsx';
import type { Verified } from './verification.ts';

const MAXIMUM_FINDINGS = 50;

/** What the last verification found. */
export function Report(props: { readonly verified: Verified; readonly csrf: string; readonly nowMs: number }) {
  const { verified, csrf, nowMs } = props;
  const { report, range, atMs, tookMs } = verified;
  const { findings, findingsLeftOut, batches, anchoredUntilMs } = report;
  const notShown = findingsLeftOut + Math.max(0, findings.length - MAXIMUM_FINDINGS);
  return (
    <>
      {batches === 0 && (
        <Notice kind="warn" title="Nothing was verified: there is no batch in this range.">
          The verdicts say nothing about records outside it.
        </Notice>
      )}
      <dl class="figures figures-words">
        <Verdict name="Integrity" verdict={report.integrity} note="nothing altered or forged" />
        <Verdict name="Completeness" verdict={report.completeness} note="nothing missing" />
        <Verdict name="Order" verdict={report.order} note="nothing misplaced" />
        <Figure
          name="Records"
          value={count(report.records)}
          note={batches === 1 ? 'in 1 batch' : `in ${count(batches)} batches`}
        />
        <Figure
          name="Anchored until"
          value={anchoredUntilMs === null ? 'no anchor' : dateTime(anchoredUntilMs).slice(0, 16)}
          note={anchoredUntilMs === null ? 'a tail cut off would not show' : 'UTC; a tail cut off later would not show'}
        />
      </dl>
      <div class="bar">
        <p class="quiet">
          {`${rangeText(range)}, verified ${duration((nowMs - atMs) / 1000)} ago in ${duration(tookMs / 1000)}.`}
        </p>
        <form method="post" action="/audit/download">
          <Csrf token={csrf} />
          <input type="hidden" name="what" value="report" />
          <button class="second small" type="submit">
            Download report
          </button>
        </form>
      </div>
      {findings.length > 0 && <Findings findings={findings.slice(0, MAXIMUM_FINDINGS)} />}
      {notShown > 0 && <p class="quiet">{`${count(notShown)} findings are not shown.`}</p>}
    </>
  );
}

function Verdict(props: { readonly name: string; readonly verdict: 'intact' | 'violated'; readonly note: string }) {
  const isIntact = props.verdict === 'intact';
  return (
    <Figure
      name={props.name}
      value={props.verdict}
      kind={isIntact ? 'good' : 'bad'}
      note={isIntact ? props.note : 'see the findings below'}
    />
  );
}

function rangeText({ fromMs, toMs }: Verified['range']): string {
  if (fromMs === null && toMs === null) return 'The whole archive';
  const from = fromMs === null ? 'the beginning' : `${dateTime(fromMs)} UTC`;
  return `From ${from} to ${toMs === null ? 'the end' : `${dateTime(toMs)} UTC`}`;
}

function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  return (
    <Table label="Findings" head={[['Question'], ['Finding', 'nowrap'], ['Where', 'wide'], ['What', 'wide']]}>
      {findings.map(({ question, kind, writer, sequence, key, detail }) => (
        <tr>
          <td>
            <span class="mark mark-bad">{question}</span>
          </td>
          <td class="nowrap" data-label="Finding">
            {kind.replace('_', ' ')}
          </td>
          <td data-label="Where">
            <code>
              {visible(key ?? [writer, sequence].filter((part) => part !== null).join(' '), 300) || 'the archive'}
            </code>
          </td>
          <td data-label="What">{visible(detail, 300)}</td>
        </tr>
      ))}
    </Table>
  );
}
