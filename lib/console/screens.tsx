import { auditScreen, downloadAudit, verifyAudit } from './audit/screens.tsx';
import { liveEvents, liveText, STREAM_MS } from './denied/live.ts';
import { DeniedScreen } from './denied/view.tsx';
import { healthScreen } from './health/view.tsx';
import { identitiesScreen, identityScreen } from './identities/screens.tsx';
import { policyScreen, policyTest } from './policy/screens.tsx';
import { summarize } from './records/summary.ts';
import { WINDOW_MS } from './records/window.ts';
import { askRevoke, revoke, revokeScreen, takeBack } from './revoke/screens.tsx';
import type { Screen, Shown, Visit } from './visit.ts';
import { explainScreen, whyScreen } from './why/screens.tsx';

/** Every screen and action, by method and path. */
export const screens: ReadonlyMap<string, Screen> = new Map<string, Screen>([
  ['GET /', deniedScreen],
  ['GET /live', liveScreen],
  ['GET /why', whyScreen],
  ['POST /why', explainScreen],
  ['GET /health', healthScreen],
  ['GET /identities', identitiesScreen],
  ['POST /identities', identityScreen],
  ['GET /audit', auditScreen],
  ['POST /audit/verify', verifyAudit],
  ['POST /audit/download', downloadAudit],
  ['GET /policy', policyScreen],
  ['POST /policy', policyTest],
  ['GET /revoke', revokeScreen],
  ['POST /revoke', askRevoke],
  ['POST /revoke/confirmed', revoke],
  ['POST /revoke/take-back', takeBack],
]);

async function deniedScreen({ desk, nowMs, live }: Visit): Promise<Shown> {
  const window = (await desk.records?.refresh()) ?? null;
  const summary = window && summarize(window, nowMs, WINDOW_MS);
  const body = <DeniedScreen summary={summary} live={live} readAtMs={window?.readAtMs ?? null} />;
  return { title: 'Denied now', at: '/', body };
}

async function liveScreen({ desk, nowMs, session, live, ports }: Visit): Promise<Response> {
  const { records } = desk;
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  if (records === null) return new Response(null, { status: 204, headers });
  if (live === 'polling')
    return new Response(await liveText(records, nowMs), {
      headers: { ...headers, 'content-type': 'application/json' },
    });
  const endsAtMs = Math.min(nowMs + STREAM_MS, session.expiresAtSeconds * 1000);
  const events = liveEvents({ records, endsAtMs, ...ports });
  return new Response(events, { headers: { ...headers, 'content-type': 'text/event-stream' } });
}
