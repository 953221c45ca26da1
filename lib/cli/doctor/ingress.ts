import { ECHO_PATH, type ProbeReport } from '../../http/probe.ts';
import { canonicalTarget } from '../../request/path.ts';
import type { Got, Send } from './client.ts';
import { forgeries, pathTricks } from './forgeries.ts';
import { arrived, believed, type Hole, plainHoles } from './holes.ts';

export interface Examination {
  /** Why nothing could be examined, or null. */
  readonly failed: string | null;
  readonly door: string | null;
  readonly holes: readonly Hole[];
  /** What was seen that is no hole, or could not be seen. */
  readonly notes: readonly string[];
  readonly requests: number;
}

/** A path that is only reported about. */
const REPORT_PATH = '/tgefd-doctor';
const LARGE_BODY_BYTES = 24 * 1024 * 1024;
const LARGE_FIELD_BYTES = 40 * 1024;
const OWN_PAGES = [
  '/_authorizer/check',
  '/_authorizer/ext-authz/tgefd-doctor',
  '/_authorizer/jwks.json',
  '/_authorizer/metrics',
];

/**
 * Examines an ingress from outside: sends every forgery, path and size trick through it and compares what arrived, at the
 * authorizer by the probe's report and at the service by the echo, with the same request without a lie. `mark` is a word
 * of this run by which a forged value is known again. Does not see what the ingress does to other hosts or paths, and does not
 * try to desynchronise it.
 */
export async function examineIngress(
  send: Send,
  options: { readonly mark: string; readonly configured: readonly string[] },
): Promise<Examination> {
  const holes: Hole[] = [];
  const notes: string[] = [];
  let requests = 0;
  const ask: Send = (request) => {
    requests += 1;
    return send(request);
  };
  const done = (failed: string | null, door: string | null): Examination => ({
    failed,
    door,
    holes: once(holes),
    notes,
    requests,
  });

  const first = await ask({ target: REPORT_PATH });
  const baseline = first.report;
  if (baseline === null) return done(unanswered(first), null);
  if (!baseline.trusted_hop)
    notes.push(
      'The authorizer does not trust this hop: TGEFD_TRUSTED_PROXIES names another address, so nothing that the ingress says counts.',
    );
  const asks = baseline.door !== 'gateway';
  const echoed = asks ? await ask({ target: ECHO_PATH }) : null;
  const service = echoed?.echo ?? null;
  if (asks && service === null)
    notes.push('What reaches the service could not be seen: run `tgefd-authorizer doctor echo` in its place.');
  if (service) holes.push(...plainHoles(service));

  for (const forgery of forgeries(options.mark, configuredNames(options.configured, baseline))) {
    const { report } = await ask({ target: REPORT_PATH, fields: forgery.fields });
    if (report) holes.push(...believed(forgery, baseline, report));
    if (service === null) continue;
    const { echo } = await ask({ target: ECHO_PATH, fields: forgery.fields });
    if (echo) holes.push(...arrived(forgery, options.mark, service, echo));
  }
  if (service) holes.push(...(await anotherPath(ask)));
  holes.push(...(await ownPages(ask, asks, options.mark)));
  if (service) holes.push(...(await sizes(ask, notes)));
  return done(null, baseline.door);
}

/** Names that the doctor was given, and those that the authorizer says it believes. */
function configuredNames(given: readonly string[], { configured = {} }: ProbeReport): readonly string[] {
  const known = new Set(given.map((name) => name.toLowerCase()));
  return [...given, ...Object.keys(configured).filter((name) => !known.has(name))];
}

function unanswered({ status }: Got): string {
  return status === 0
    ? 'nobody answers there'
    : `the answer (${status}) does not come from the probe: is TGEFD_DOCTOR_SECRET set there, to the same value, and does the ingress pass Authorization on to the authorizer?`;
}

/** Whether a path can be decided about as one and reach the service as another. */
async function anotherPath(ask: Send): Promise<Hole[]> {
  const holes: Hole[] = [];
  for (const trick of pathTricks) {
    const decided = (await ask({ target: `${REPORT_PATH}${trick}` })).report?.asked?.[1];
    if (decided === undefined) continue;
    const canonical = canonicalTarget(decided);
    if (!canonical.ok || `${canonical.path}${canonical.query}` !== decided) continue;
    const { echo } = await ask({ target: `${ECHO_PATH}${trick}` });
    const forwarded = echo?.target.replace(ECHO_PATH, REPORT_PATH);
    if (forwarded !== undefined && forwarded !== decided)
      holes.push({
        kind: 'target',
        name: trick,
        says: `Of \`…${trick}\` the authorizer decides about \`${decided}\`, but the service gets \`${forwarded}\`.`,
      });
  }
  return holes;
}

/** Whether a stranger can speak to the authorizer as if it were the ingress. */
async function ownPages(ask: Send, asks: boolean, mark: string): Promise<Hole[]> {
  if (!asks) return [];
  const holes: Hole[] = [];
  const sources = [
    'X-Original-Method',
    'GET',
    'X-Original-Uri',
    `/${mark}`,
    'X-Forwarded-Method',
    'GET',
    'X-Forwarded-Uri',
    `/${mark}`,
  ];
  for (const page of OWN_PAGES) {
    const { status, report } = await ask({ target: page, ...(page.endsWith('check') ? { fields: sources } : {}) });
    const direct = report !== null && report.asked?.[1] !== page;
    if (direct || status === 200)
      holes.push({
        kind: 'own_pages',
        name: page,
        says: `\`${page}\` is open to strangers${direct ? ', who are believed there as the ingress is' : ''}.`,
      });
  }
  return holes;
}

async function sizes(ask: Send, notes: string[]): Promise<Hole[]> {
  const long = await ask({ target: ECHO_PATH, fields: ['X-Filler', 'f'.repeat(LARGE_FIELD_BYTES)] });
  if (long.status >= 500)
    notes.push(
      `A header field of ${LARGE_FIELD_BYTES / 1024} KiB is answered with ${long.status}: closed, but it looks like an outage.`,
    );
  const body = await ask({ method: 'POST', target: ECHO_PATH, bodyBytes: LARGE_BODY_BYTES });
  if (body.echo?.bodyBytes !== LARGE_BODY_BYTES) return [];
  return [
    {
      kind: 'body',
      name: `${LARGE_BODY_BYTES / 1024 / 1024} MiB`,
      says: 'A body of any size reaches the service: a forward-auth door cannot limit what it does not see.',
    },
  ];
}

function once(holes: readonly Hole[]): readonly Hole[] {
  return [...new Map(holes.map((hole) => [`${hole.kind} ${hole.name.toLowerCase()} ${hole.says}`, hole])).values()];
}
