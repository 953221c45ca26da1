import { SignJWT } from 'jose';
import { isLoopback } from '../config/rules/check.ts';
import { command, Failure, type Output, Usage } from './command.ts';
import { configOf } from './config.ts';

export const token = command({
  summary: 'Makes a token for tests, in development only.',
  options: {
    sub: { type: 'string', value: 'NAME', required: true, means: 'Subject of the token.' },
    scope: { type: 'string', value: '"SCOPES"', means: 'Scopes of the token, separated by spaces.' },
    role: { type: 'string', value: 'NAME', means: 'Role of the token.' },
    ttl: { type: 'string', value: 'SECONDS', default: '300', means: 'How long it is valid.' },
    claim: {
      type: 'string',
      multiple: true,
      value: 'NAME=JSON',
      means: 'A further claim. It may replace one, to make an invalid token.',
    },
    issuer: {
      type: 'string',
      value: 'URL',
      means:
        'A local issuer that makes the token, such as that of `npm run dev`. Without it the command signs with TGEFD_JWT_SECRET.',
    },
  },
  examples: [
    { line: 'token --sub alice --scope "discover jobs"', does: 'Makes a token that is valid for five minutes.' },
    { line: `token --sub alice --claim 'tenant="a"' --claim exp=1`, does: 'Makes an expired token of a tenant.' },
  ],
  json: 'An object: `access_token`.',
  async run(values, console) {
    const wishes = {
      subject: values.sub,
      lifetimeSeconds: lifetimeOf(values.ttl),
      scope: values.scope,
      claims: claimsOf(values.claim, values.role),
    };
    const made = await (values.issuer === undefined ? signedHere(wishes, console) : fromIssuer(values.issuer, wishes));
    console.answer({ access_token: made });
    console.out(made);
    return 0;
  },
});

interface Wishes {
  readonly subject: string;
  readonly lifetimeSeconds: number;
  readonly scope: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

function lifetimeOf(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new Usage('--ttl is a whole number of seconds');
  return Number(text);
}

function claimsOf(given: readonly string[], role: string | undefined): Record<string, unknown> {
  const claims: Record<string, unknown> = {};
  for (const text of given) {
    const [, name, json] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || json === undefined) throw new Usage('--claim is NAME=JSON');
    try {
      claims[name] = JSON.parse(json);
    } catch {
      throw new Usage(`--claim ${name} is not JSON; a text stands in double quotes: --claim '${name}="text"'`);
    }
  }
  if (role !== undefined) claims.role = role;
  return claims;
}

/** A token signed with the secret of the configuration. */
async function signedHere({ subject, lifetimeSeconds, scope, claims }: Wishes, console: Output): Promise<string> {
  const place = { platform: 'cli', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
  const { settings } = (await configOf(console, place)).config;
  if (settings.environment !== 'development' || !settings.jwtSecret)
    throw new Failure(
      'not_configured',
      'tokens are made in development only, with TGEFD_JWT_SECRET, or by a local issuer (--issuer)',
    );
  const nowSeconds = Math.floor(Date.now() / 1000);
  const signed = new SignJWT({
    sub: subject,
    iat: nowSeconds,
    exp: nowSeconds + lifetimeSeconds,
    jti: crypto.randomUUID(),
    ...(settings.jwtIssuer === null ? {} : { iss: settings.jwtIssuer }),
    ...(settings.jwtAudience === null
      ? {}
      : { aud: settings.jwtAudience.length === 1 ? (settings.jwtAudience[0] ?? '') : [...settings.jwtAudience] }),
    ...(scope === undefined ? {} : { scope }),
    // Last, so that a token can be made wrong on purpose.
    ...claims,
  }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' });
  return signed.sign(new TextEncoder().encode(settings.jwtSecret.current));
}

/** Client of the issuer that `npm run dev` starts, and the field in which that issuer takes wishes. */
const demoClient = { id: 'demo-client', secret: 'demo-client-secret', wishes: 'x-token-wishes' };

/** A token of the local development issuer by its token endpoint (client credentials, RFC 6749 §4.4). */
async function fromIssuer(issuer: string, wishes: Wishes): Promise<string> {
  if (!URL.canParse(issuer) || !isLoopback(new URL(issuer)))
    throw new Usage('--issuer is the URL of a local issuer, on a loopback host');
  const response = await fetch(new URL('/token', issuer), {
    method: 'POST',
    redirect: 'error',
    headers: {
      authorization: `Basic ${btoa(`${demoClient.id}:${demoClient.secret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
      [demoClient.wishes]: encodeURIComponent(JSON.stringify({ ...wishes, scope: wishes.scope ?? '' })),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'urn:tgefd:api' }),
  }).catch(() => null);
  const body: unknown = response ? await response.json().catch(() => null) : null;
  if (typeof body === 'object' && body !== null && 'access_token' in body && typeof body.access_token === 'string')
    return body.access_token;
  throw new Failure(
    'unavailable',
    response ? `the issuer refused with status ${response.status}` : `the issuer at ${issuer} does not answer`,
  );
}
