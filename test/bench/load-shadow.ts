/*
 * A second table that is tried while the load runs: the metrics are taken from everybody, discovering is given to everybody,
 * and a further scope opens the jobs, which changes nothing for the callers of this load.
 */
const row = { budget: 'read' } as const;
export const shadowTable = JSON.stringify([
  { ...row, method: 'GET', path: '/v1/metrics', scope: 'operations' },
  { ...row, method: 'POST', path: '/v1/discover', scope: null },
  { ...row, method: 'GET', path: '/v1/jobs/{job_id}', scope: { any: ['jobs', 'evaluate'] } },
]);

/** How often which row is decided otherwise, and how: `GET /v1/metrics shadow_denies`. */
export type Differences = Readonly<Record<string, number>>;

interface Sent {
  readonly method: string;
  readonly path: string;
  /** `status` or `status code`. */
  readonly told: string;
  /** Whether the door decided. */
  readonly decided: boolean;
  /** Whether the token is good, so that 429 tells of its caller's own budget. */
  readonly known: boolean;
}

/** What the second table decides otherwise about a request that was answered like this; null: nothing. */
export function plantedIn({ method, path, told, decided, known }: Sent): string | null {
  if (!decided) return null;
  const [target = ''] = path.split('?');
  const [status, code] = told.split(' ');
  const isRead = (method === 'GET' || method === 'HEAD') && target === '/v1/metrics';
  if (isRead && status === '200') return `${method} /v1/metrics shadow_denies`;
  if (isRead && known && status === '429') return `${method} /v1/metrics shadow_differs`;
  if (method === 'POST' && target === '/v1/discover' && code === 'insufficient_scope')
    return 'POST /v1/discover shadow_allows';
  return null;
}

/** Sums up what `policy shadow --json` printed, whoever called. */
export function differencesFound(text: string): Differences {
  const { rows } = JSON.parse(text) as { rows: { endpoint: string; kind: string; count: number }[] };
  const sums: Record<string, number> = {};
  for (const { endpoint, kind, count } of rows)
    sums[`${endpoint} ${kind}`] = (sums[`${endpoint} ${kind}`] ?? 0) + count;
  return sums;
}
