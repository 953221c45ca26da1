import { DOCTOR_IDENTITY, type ProbeReport } from '../../http/probe.ts';
import type { HoleKind } from './advice.ts';
import type { Echo } from './client.ts';
import { FORGED_ADDRESS, FORGED_HOST, type Forgery } from './forgeries.ts';

/** Something that a stranger can do through this ingress. */
export interface Hole {
  readonly kind: HoleKind;
  /** Field as it was sent, or another word for what the hole is about. */
  readonly name: string;
  /** One sentence: what a stranger could do. */
  readonly says: string;
}

/** What is wrong with a request that lies about nothing. */
export function plainHoles(echo: Echo): Hole[] {
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
export function believed({ title, fields }: Forgery, before: ProbeReport, after: ProbeReport): Hole[] {
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
export function arrived({ title, fields }: Forgery, mark: string, before: Echo, after: Echo): Hole[] {
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
