import type { AuditRecord } from '../../audit/schema.ts';
import { explained, requestWith } from '../../policy/explain/explanation.ts';
import { searchArchive } from '../../verify/query.ts';
import type { Shown, Visit } from '../visit.ts';
import type { FoundRecords } from './record.tsx';
import { WhyScreen, type WhyState } from './view.tsx';

const NOTHING: WhyState = { requestId: '', found: null, asked: null, explanation: null, problem: null };
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const MAXIMUM_FOUND = 5;
/** How far back the archive is searched. */
const ARCHIVE_MS = 24 * 3_600_000;

/** *Why*: the record of a request id, where one is asked for. */
export async function whyScreen(visit: Visit): Promise<Shown> {
  const requestId = (visit.query.get('request_id') ?? '').trim();
  if (requestId === '') return shown(visit, NOTHING);
  if (!REQUEST_ID.test(requestId)) {
    const problem = 'A request id has 1 to 128 letters, digits, dots, underscores and hyphens.';
    return shown(visit, { ...NOTHING, requestId, problem }, 400);
  }
  return shown(visit, { ...NOTHING, requestId, found: await find(visit, requestId) });
}

/** *Why*: a request that was pasted, decided again. Its token stays in this function. */
export async function explainScreen(visit: Visit): Promise<Shown> {
  const { form, desk } = visit;
  const method = (form.get('method') ?? '').trim().toUpperCase();
  const path = (form.get('path') ?? '').trim();
  const token = (form.get('token') ?? '').trim().replace(/^(bearer|dpop)\s+/i, '');
  if (!/^[A-Z-]{1,32}$/.test(method) || path === '') {
    const problem = path === '' ? 'Which path? Such as /v1/jobs/42.' : 'A method has letters and hyphens only.';
    return shown(visit, { ...NOTHING, asked: path === '' ? null : { method: 'GET', path }, problem }, 400);
  }
  const { config } = desk.composed;
  const credential = token === '' ? undefined : token;
  const request = requestWith(config, { method, target: path, credential, fields: [] });
  const explanation = await explained(desk.onTrial, config, request);
  return shown(visit, { ...NOTHING, asked: { method, path }, explanation });
}

function shown({ session }: Visit, state: WhyState, status = 200): Shown {
  return { title: 'Why', at: '/why', status, body: <WhyScreen state={state} csrf={session.csrf} /> };
}

/** Looks among the records that wait, then in the archive of the last day. */
async function find(visit: Visit, requestId: string): Promise<FoundRecords> {
  const { desk, nowMs } = visit;
  const notSearched: string[] = [];
  const records = new Map<string, AuditRecord>();
  const window = await desk.records?.refresh();
  if (window === undefined) notSearched.push('there is no outbox');
  else if (!window.isAnswering) notSearched.push('the outbox does not answer');
  for (const record of window?.records ?? []) if (record.request_id === requestId) records.set(record.id, record);
  if (records.size === 0) await findArchived(visit, requestId, nowMs, records, notSearched);
  return { records: [...records.values()].slice(-MAXIMUM_FOUND).reverse(), notSearched };
}

async function findArchived(
  visit: Visit,
  requestId: string,
  nowMs: number,
  records: Map<string, AuditRecord>,
  notSearched: string[],
): Promise<void> {
  try {
    const archive = await visit.archive();
    if (archive === null) return;
    const everything = { identities: null, addresses: null, action: null, outcome: null, keyId: null, toMs: null };
    const query = { ...everything, requestId, fromMs: nowMs - ARCHIVE_MS };
    for await (const found of searchArchive(query, archive)) {
      if (found.found === 'record') records.set(found.record.id, found.record);
      else notSearched.push(`${found.key}: ${found.why}`);
      if (records.size >= MAXIMUM_FOUND) return;
    }
  } catch {
    notSearched.push('the archive does not answer');
  }
}
