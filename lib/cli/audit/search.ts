import { type AuditRecord, auditRecordSchema } from '../../audit/schema.ts';
import { searchArchive } from '../../verify/query.ts';
import { Failure, type Output } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { instant, openArchive, progressTo, readJson } from './parts.ts';

/** A period in the words of the command line: a date, an instant, or an age such as `24h`. */
export interface SearchPeriod {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const PAGE = 500;
const EVERYTHING = { identities: null, addresses: null, action: null, outcome: null, requestId: null, keyId: null };

/**
 * Hands on every record of a period, those of the archive first, then those that are still in the outbox. Needs one of the
 * two. Returns the exit status: 1 where a part of the archive could not be searched.
 */
export async function readRecords(
  { from, to }: SearchPeriod,
  console: Output,
  show: (record: AuditRecord) => void,
): Promise<number> {
  const nowMs = Date.now();
  const fromMs = instant('from', from, nowMs);
  const toMs = instant('to', to, nowMs);
  const composed = await composeForCommand(console);
  const { settings } = composed.config;
  const hasArchive = settings.auditBucket !== null;
  if (!hasArchive && !settings.redisUrl)
    throw new Failure('not_configured', 'no records: neither TGEFD_AUDIT_BUCKET nor TGEFD_REDIS_URL is set');
  let damaged = 0;
  if (hasArchive) {
    const archive = await openArchive({}, console);
    const query = { ...EVERYTHING, fromMs, toMs };
    for await (const found of searchArchive(query, archive, progressTo(console, 'batch', 'searched'))) {
      if (found.found === 'record') show(found.record);
      else {
        damaged++;
        console.err(`not searched: ${found.key}: ${found.why} (audit verify tells more)`);
      }
    }
  }
  const { outbox } = composed;
  for (let afterId = '0-0'; outbox !== null && settings.redisUrl; ) {
    const page = await outbox.follow(afterId, PAGE);
    for (const { record: text } of page.entries) {
      const parsed = auditRecordSchema.safeParse(readJson(text));
      if (!parsed.success) continue;
      const atMs = Date.parse(parsed.data.ts);
      if ((fromMs === null || atMs >= fromMs) && (toMs === null || atMs < toMs)) show(parsed.data);
    }
    if (page.entries.length < PAGE) break;
    afterId = page.lastId;
  }
  return damaged === 0 ? 0 : 1;
}
