import type { VerifyReport } from '../../verify/verify.ts';
import { verifyArchive } from '../../verify/verify.ts';
import { type Command, options, Usage } from '../command.ts';
import { instant, openArchive, PLACE_USAGE, placeOptions, progressTo } from './parts.ts';

const DAY_MS = 86_400_000;

export const verify: Command = {
  summary: 'proves that nothing of the archive is altered, missing or out of order, or names what is',
  usage: `audit verify [--from TIME] [--to TIME] ${PLACE_USAGE} [--retention-days N] [--json]`,
  async run(args, console) {
    const { values } = options(args, {
      ...placeOptions,
      from: { type: 'string' },
      to: { type: 'string' },
      'retention-days': { type: 'string' },
      json: { type: 'boolean', default: false },
    });
    const nowMs = Date.now();
    const days = values['retention-days'];
    if (days !== undefined && !/^\d{1,5}$/.test(days)) throw new Usage('--retention-days is a whole number');
    const range = { fromMs: instant('from', values.from, nowMs), toMs: instant('to', values.to, nowMs) };
    const archive = await openArchive(values, console);
    if (archive === null) return 1;
    const keptDays = days === undefined ? (archive.config?.settings.auditColdDays ?? null) : Number(days);
    const report = await verifyArchive(
      { ...range, expiredBeforeMs: keptDays === null ? 0 : nowMs - keptDays * DAY_MS },
      { ...archive, progress: progressTo(console, 'records verified') },
    );
    for (const line of values.json ? [JSON.stringify(report)] : readable(report)) console.out(line);
    const isIntact = [report.integrity, report.completeness, report.order].every((verdict) => verdict === 'intact');
    return isIntact && report.batches > 0 ? 0 : 1;
  },
};

function readable(report: VerifyReport): string[] {
  return [
    `integrity     ${report.integrity}`,
    `completeness  ${report.completeness}`,
    `order         ${report.order}`,
    '',
    `${report.records} records in ${report.batches} batches, ${report.anchors} anchors`,
    ...report.chains.map(
      ({ writer, firstSequence, lastSequence, records, anchoredSequence }) =>
        `chain ${writer}: ${firstSequence === null ? 'nothing in this range' : `batches ${firstSequence} to ${lastSequence}, ${records} records`}, anchored up to ${anchoredSequence ?? 'none'}`,
    ),
    report.anchoredUntilMs === null
      ? 'no anchor: a cut tail would not show'
      : `newest anchor ${new Date(report.anchoredUntilMs).toISOString()}: a tail cut after it would not show`,
    ...(report.batches === 0 ? ['nothing was verified: there is no batch in this range'] : []),
    ...(report.findings.length === 0 ? [] : ['', 'findings:']),
    ...report.findings.map(({ question, kind, writer, sequence, key, detail }) =>
      [
        '',
        question,
        kind,
        writer === null ? '' : `${writer}${sequence === null ? '' : ` ${sequence}`}`,
        key ?? '',
        detail,
      ]
        .filter((part, place) => part !== '' || place === 0)
        .join('  '),
    ),
    ...(report.findingsLeftOut === 0 ? [] : [`  and ${report.findingsLeftOut} more`]),
  ];
}
