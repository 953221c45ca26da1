import type { Shown, Visit } from '../visit.ts';
import { type AnchorState, latestAnchors } from './anchors.ts';
import type { OpenedArchive } from './archive.ts';
import { recordLines } from './download.ts';
import { type Range, rangeOf } from './range.ts';
import { isRunning, type VerifyTask, verifyEvents, verifyRange } from './verification.ts';
import { AuditScreen } from './view.tsx';

/** The screen *Audit*. */
export function auditScreen(visit: Visit): Promise<Shown> {
  return shown(visit, null, 200);
}

const SILENT = 'The archive does not answer.';

/** Verifies a range: as lines that tell how far it is, where the script asks for them, else as a page at the end. */
export async function verifyAudit(visit: Visit): Promise<Shown | Response> {
  const asked = await askedOf(visit);
  if ('title' in asked) return asked;
  if (isRunning(visit.verification, visit.nowMs))
    return shown(visit, 'A verification is running. Wait for its end.', 409);
  const task: VerifyTask = {
    memo: visit.verification,
    ...asked,
    keptDays: visit.desk.composed.config.settings.auditColdDays ?? null,
    clock: visit.ports.clock,
  };
  if (visit.form.get('stream') === 'yes') return file(verifyEvents(task), 'application/x-ndjson', null);
  try {
    await verifyRange(task, () => {});
  } catch {
    return shown(visit, SILENT, 503);
  }
  return shown(visit, null, 200);
}

/** The records of a range, or the last report, as a file. */
export async function downloadAudit(visit: Visit): Promise<Shown | Response> {
  if (visit.form.get('what') === 'report') {
    const { last } = visit.verification;
    if (last === null) return shown(visit, 'Nothing was verified yet.', 404);
    return file(`${JSON.stringify(last, null, 2)}\n`, 'application/json', 'audit-verification.json');
  }
  const asked = await askedOf(visit);
  if ('title' in asked) return asked;
  try {
    return file(await recordLines(asked.archive, asked.range), 'application/x-ndjson', 'audit-records.ndjson');
  } catch {
    return shown(visit, SILENT, 503);
  }
}

/** Archive and range of a form, or the page that says what is missing. */
async function askedOf(visit: Visit): Promise<{ archive: OpenedArchive; range: Range } | Shown> {
  const range = rangeOf(visit.form);
  if (typeof range === 'string') return shown(visit, range, 400);
  const archive = await visit.archive().catch(() => null);
  return archive === null ? shown(visit, null, 503) : { archive, range };
}

function file(body: string | ReadableStream<Uint8Array>, type: string, name: string | null): Response {
  const headers = new Headers({
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  });
  if (name !== null) headers.set('content-disposition', `attachment; filename="${name}"`);
  return new Response(body, { headers });
}

async function shown(visit: Visit, problem: string | null, status: number): Promise<Shown> {
  const { anchors, state } = await anchorsOf(visit);
  const body = (
    <AuditScreen
      state={state}
      anchors={anchors}
      last={visit.verification.last}
      isRunning={isRunning(visit.verification, visit.nowMs)}
      problem={problem === SILENT && state === 'silent' ? null : problem}
      csrf={visit.session.csrf}
      nowMs={visit.nowMs}
    />
  );
  return { title: 'Audit', at: '/audit', status, body };
}

async function anchorsOf(
  visit: Visit,
): Promise<{ readonly anchors: readonly AnchorState[]; readonly state: 'open' | 'none' | 'silent' }> {
  try {
    const archive = await visit.archive();
    if (archive === null) return { anchors: [], state: 'none' };
    return { anchors: await latestAnchors(archive, visit.nowMs), state: 'open' };
  } catch {
    return { anchors: [], state: 'silent' };
  }
}
