import type { VerifyReport } from '../../verify/verify.ts';
import { verifyArchive } from '../../verify/verify.ts';
import { command, type Output, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import { instant, openArchive, periodOptions, placeOptions, progressTo } from './parts.ts';

const DAY_MS = 86_400_000;

export const verify = command({
  summary: 'Verifies that nothing in the archive is altered, missing or out of order. Names each finding.',
  options: {
    ...periodOptions,
    ...placeOptions,
    'retention-days': {
      type: 'string',
      value: 'N',
      means: 'Age from which batches may have expired. Default: TGEFD_AUDIT_COLD_DAYS.',
    },
  },
  examples: [
    { line: 'audit verify --from 7d', does: 'Verifies what was archived in the last seven days.' },
    {
      line: 'audit verify --folder ./copy --keys audit-keys.json',
      does: 'Verifies a copy of the archive on a machine without any configuration.',
    },
  ],
  json: 'An object: `integrity`, `completeness` and `order` (`intact` or `violated`), `findings`, `chains`, `batches`, `records`, `anchors` and `anchoredUntilMs`.',
  exits: {
    yes: 'Everything is intact, and at least one batch was verified.',
    no: 'Something is altered, missing or out of order, or nothing was verified.',
  },
  async run(values, console) {
    const nowMs = Date.now();
    const days = values['retention-days'];
    if (days !== undefined && !/^\d{1,5}$/.test(days)) throw new Usage('--retention-days is a whole number');
    const range = { fromMs: instant('from', values.from, nowMs), toMs: instant('to', values.to, nowMs) };
    const archive = await openArchive(values, console);
    const keptDays = days === undefined ? (archive.config?.settings.auditColdDays ?? null) : Number(days);
    const report = await verifyArchive(
      { ...range, expiredBeforeMs: keptDays === null ? 0 : nowMs - keptDays * DAY_MS },
      { ...archive, progress: progressTo(console, 'record', 'verified') },
    );
    console.answer(report);
    show(report, console);
    const isIntact = [report.integrity, report.completeness, report.order].every((verdict) => verdict === 'intact');
    return isIntact && report.batches > 0 ? 0 : 1;
  },
});

function show(report: VerifyReport, { out, style }: Output): void {
  for (const question of ['integrity', 'completeness', 'order'] as const) {
    const verdict = report[question];
    out(`${question.padEnd(14)}${style(verdict === 'intact' ? 'good' : 'bad', verdict)}`);
  }
  out('');
  const [records, batches] = [counted(report.records, 'record'), counted(report.batches, 'batch')];
  out(`${records} in ${batches}, ${counted(report.anchors, 'anchor')}`);
  for (const chain of report.chains) out(chainLine(chain));
  out(
    report.anchoredUntilMs === null
      ? 'no anchor: a cut tail would not show'
      : `newest anchor ${new Date(report.anchoredUntilMs).toISOString()}: a tail cut after it would not show`,
  );
  if (report.batches === 0) out(style('bad', 'nothing was verified: there is no batch in this range'));
  if (report.findings.length === 0) return;
  out('');
  out(style('bad', 'findings:'));
  for (const finding of report.findings) out(findingLine(finding));
  if (report.findingsLeftOut > 0) out(`  and ${report.findingsLeftOut} more`);
}

function chainLine(chain: VerifyReport['chains'][number]): string {
  const { writer, firstSequence, lastSequence, records, anchoredSequence } = chain;
  const seen =
    firstSequence === null
      ? 'nothing in this range'
      : `batches ${firstSequence} to ${lastSequence}, ${counted(records, 'record')}`;
  return `chain ${writer}: ${seen}, anchored up to ${anchoredSequence ?? 'none'}`;
}

function findingLine({ question, kind, writer, sequence, key, detail }: VerifyReport['findings'][number]): string {
  const place = writer === null ? '' : `${writer}${sequence === null ? '' : ` ${sequence}`}`;
  return ['', question, kind, place, key ?? '', detail].filter((part, at) => part !== '' || at === 0).join('  ');
}
