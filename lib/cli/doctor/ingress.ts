import { DOCTOR_IDENTITY, ECHO_PATH, type ProbeReport } from '../../http/probe.ts';
import { canonicalTarget } from '../../request/path.ts';
import type { HoleKind } from './advice.ts';
import type { Echo, Got, Send } from './client.ts';
import { FORGED_ADDRESS, FORGED_HOST, type Forgery, forgeries, pathTricks } from './forgeries.ts';

/** Something that a stranger can do through this ingress. */
export interface Hole {
  readonly kind: HoleKind;
  /** Field as it was sent, or another word for what the hole is about. */
  readonly name: string;
  /** One sentence: what a stranger could do. */
  readonly says: string;
}

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

/** What is wrong with a request that lies about nothing. */
function plainHoles(echo: Echo): Hole[] {
  const holes: Hole[] = [];
  const values = (name: string) => echo.fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  if (values('authorization').length > 0)
    holes.push({
      kind: 'credential',
      name: 'Authorization',
      says: 'The service gets the caller’s token, and could use it anywhere.',
    });
  for (const [name, value] of echo.fields)
    if (value.startsWith('{'))
      holes.push({
        kind: 'placeholder',
        name,
        says: `The service gets \`${name}: ${value}\`, a placeholder that was left as it stood.`,
      });
  if (values('x-auth-request-user').join() !== DOCTOR_IDENTITY)
    holes.push({ kind: 'identity_missing', name: 'X-Auth-Request-User', says: 'The service is not told who calls.' });
  return holes;
}

/** What the authorizer would have believed of a lie. */
function believed({ title, fields }: Forgery, before: ProbeReport, after: ProbeReport): Hole[] {
  const holes: Hole[] = [];
  const name = fields.at(-2) ?? title;
  const hole = (kind: HoleKind, says: string) => holes.push({ kind, name, says });
  if (after.identity !== before.identity)
    hole(
      'believed_header',
      `With \`${title}\` a stranger names itself: the authorizer believes it to be whoever it likes.`,
    );
  if (after.certificate !== before.certificate)
    hole(
      'believed_header',
      `With \`${title}\` a stranger brings the certificate of somebody else: the authorizer reads it as verified.`,
    );
  if (after.scopes !== before.scopes || after.roles !== before.roles)
    hole('believed_header', `With \`${title}\` a stranger gives itself scopes or roles.`);
  for (const [configured, value] of Object.entries(after.configured ?? {}))
    if (value !== null && value === fields.at(-1) && value !== before.configured?.[configured])
      hole('believed_header', `With \`${title}\` a stranger writes \`${configured}\`, which the authorizer believes.`);
  if (after.client !== before.client)
    hole(
      'address',
      `With \`${title}\` a stranger chooses its address: limits and failures per address do not hold it.`,
    );
  if (after.secure !== before.secure)
    hole('believed_header', `With \`${title}\` a stranger says whether its connection was TLS.`);
  if (after.host !== before.host)
    hole('believed_header', `With \`${title}\` a stranger chooses the host that the service is told.`);
  if (after.request_id === fields.at(-1))
    hole('believed_header', `With \`${title}\` a stranger chooses the request id in your records.`);
  if (after.asked?.join(' ') !== before.asked?.join(' '))
    hole(
      'believed_header',
      after.asked
        ? `With \`${title}\` a stranger has another request decided than the one that is forwarded: ${after.asked.join(' ')}.`
        : `\`${title}\` reaches the authorizer, which refuses it; nothing but that refusal stands in between.`,
    );
  return holes;
}

/** What of a lie the service gets to see, and what a lie took away from it. */
function arrived({ title, fields }: Forgery, mark: string, before: Echo, after: Echo): Hole[] {
  const holes: Hole[] = [];
  const lies = [mark, mark.toUpperCase().replace(/[^A-Z]/g, 'X'), btoa(mark), FORGED_ADDRESS, FORGED_HOST];
  const names = new Set(fields.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  for (const [name, value] of after.fields) {
    const lying = lies.some((lie) => value.includes(lie));
    const known = before.fields.some(([one, told]) => one.toLowerCase() === name.toLowerCase() && told === value);
    if (
      lying ||
      (names.has(name.toLowerCase()) && name.toLowerCase() !== 'connection' && !known && !/^x-filler-/i.test(name))
    )
      holes.push({
        kind: /^x-forwarded-for$/i.test(name) ? 'address' : 'service_header',
        name,
        says: `\`${title}\` reaches the service as the stranger sent it (\`${name}\`).`,
      });
  }
  const identities = after.fields.filter(([name]) => name.toLowerCase() === 'x-auth-request-user');
  const told = before.fields.some(([name]) => name.toLowerCase() === 'x-auth-request-user');
  if (told && !identities.some(([, value]) => value === DOCTOR_IDENTITY))
    holes.push(
      fields[0] === 'Connection'
        ? {
            kind: 'connection',
            name: title,
            says: `With \`${title}\` a stranger takes from the service what it is told about the caller.`,
          }
        : {
            kind: 'service_header',
            name: fields.at(-2) ?? title,
            says: `With \`${title}\` the service is no longer told who calls.`,
          },
    );
  return holes;
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
