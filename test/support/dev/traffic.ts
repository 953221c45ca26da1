import type { TokenRequest } from '../issuer.ts';
import type { DevRow } from './options.ts';

const TICK_MS = 250;
const FLOOD_EVERY_TICKS = 40;
const FIRST_FLOOD_TICK = 6;
const FLOOD_REQUESTS = 45;
const TOKEN_SECONDS = 1800;
/** Tokens are made anew well before they end. */
const RENEW_MS = 20 * 60_000;

/** Living traffic on a gateway. */
export interface Traffic {
  /** Ids of its requests, taken out by who asks: their records need not fill a terminal. */
  readonly made: { delete(requestId: string): boolean };
  stop(): Promise<void>;
}

interface Caller {
  readonly weight: number;
  readonly token: string | null;
  ask(turn: number): { readonly method: string; readonly path: string };
}

/**
 * Sends a few requests a second, as an API sees them: callers who are allowed, who lack a scope, whose tokens have expired or
 * are for another API, who have none or ask for what does not exist, and one who floods now and then.
 */
export function startTraffic(parts: {
  readonly gateway: string;
  readonly rows: readonly DevRow[];
  readonly token: (request: TokenRequest) => Promise<string>;
}): Traffic {
  const { gateway, rows, token } = parts;
  const made = new Set<string>();
  const stopping = new AbortController();
  let callers: Promise<readonly Caller[]> | null = null;
  let [turn, madeAtMs] = [0, 0];

  const ask = async ({ token: bearer, ...caller }: Caller, place: number) => {
    const { method, path } = caller.ask(place);
    const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
    const answer = await fetch(gateway + path, { method, headers, signal: stopping.signal });
    remember(made, answer.headers.get('x-request-id'));
    await answer.arrayBuffer();
  };
  const tick = async () => {
    if (callers === null || Date.now() - madeAtMs > RENEW_MS) {
      callers = callersOf(rows, token);
      madeAtMs = Date.now();
    }
    const [flooder, ...others] = await callers;
    turn++;
    const now = others.flatMap((caller) => (Math.random() < caller.weight ? [caller] : []));
    const flood = turn % FLOOD_EVERY_TICKS === FIRST_FLOOD_TICK && flooder ? FLOOD_REQUESTS : 0;
    await Promise.all(now.map((caller) => ask(caller, turn)));
    for (let sent = 0; sent < flood && flooder; sent += 5)
      await Promise.all(Array.from({ length: 5 }, (_, i) => ask(flooder, sent + i)));
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      // A gateway that restarts after a change of its source answers the next round.
      await tick().catch(() => {
        callers = null;
      });
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  };
  const ended = run();
  return {
    made,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** Keeps the latest ids only. */
function remember(made: Set<string>, id: string | null): void {
  if (id !== null) made.add(id);
  const [oldest] = made;
  if (made.size > 1_000 && oldest !== undefined) made.delete(oldest);
}

/** The one who floods, then all others by how often they ask. */
async function callersOf(
  rows: readonly DevRow[],
  token: (request: TokenRequest) => Promise<string>,
): Promise<readonly Caller[]> {
  const every = [...new Set(rows.flatMap(({ scopes }) => scopes))].join(' ');
  const ask = { algorithm: 'ES256', lifetimeSeconds: TOKEN_SECONDS } as const;
  const past = { exp: Math.floor(Date.now() / 1000) - 3600, iat: Math.floor(Date.now() / 1000) - 7200 };
  const [flooder, carol, dave, billing, narrow, expired, foreign] = await Promise.all([
    token({ ...ask, subject: 'batch-importer', scope: every }),
    token({ ...ask, subject: 'carol', scope: every }),
    token({ ...ask, subject: 'dave', scope: every }),
    token({ ...ask, subject: 'billing', scope: every }),
    token({ ...ask, subject: 'reporting-job', scope: 'another' }),
    token({ ...ask, subject: 'nightly-export', scope: every, claims: past }),
    token({ ...ask, subject: 'partner', scope: every, audience: 'urn:another:api' }),
  ]);
  const anyRow = (turn: number) => rows[turn % rows.length] ?? { method: 'GET', path: '/' };
  const scoped = rows.filter(({ scopes }) => scopes.length > 0);
  const scopedRow = (turn: number) => scoped[turn % scoped.length] ?? anyRow(turn);
  const caller = (weight: number, bearer: string | null, row: Caller['ask']): Caller => ({
    weight,
    token: bearer,
    ask: row,
  });
  return [
    caller(0, flooder, () => anyRow(0)),
    caller(0.15, carol, anyRow),
    caller(0.15, dave, (turn) => anyRow(turn + 1)),
    caller(0.15, billing, (turn) => anyRow(turn + 2)),
    caller(0.12, narrow, scopedRow),
    caller(0.08, expired, anyRow),
    caller(0.04, foreign, anyRow),
    caller(0.04, null, anyRow),
    caller(0.04, carol, () => ({ method: 'GET', path: '/wp-login.php' })),
  ];
}

/** The rows of the TGEFD service that anybody may flood without harm. */
export const PRESET_ROWS: readonly DevRow[] = [
  { method: 'POST', path: '/v1/discover', scopes: ['discover'] },
  { method: 'GET', path: '/v1/jobs/7', scopes: ['jobs'] },
  { method: 'GET', path: '/v1/metrics', scopes: ['metrics'] },
  { method: 'POST', path: '/v1/evaluate', scopes: ['evaluate'] },
];
