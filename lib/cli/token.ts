import { SignJWT } from 'jose';
import { isLoopback } from '../config/rules/check.ts';
import { type Command, type Console, options, Usage } from './command.ts';
import { configOrProblems } from './config.ts';

export const token: Command = {
  summary: 'mints a token, in development only',
  usage:
    'token --sub NAME [--scope "discover evaluate"] [--role NAME] [--ttl SECONDS] [--claim NAME=JSON ...] [--issuer URL]',
  async run(args, console) {
    const { values } = options(args, {
      sub: { type: 'string' },
      scope: { type: 'string' },
      role: { type: 'string' },
      ttl: { type: 'string', default: '300' },
      claim: { type: 'string', multiple: true, default: [] },
      issuer: { type: 'string' },
    });
    if (values.sub === undefined) throw new Usage('--sub names the caller');
    if (!/^\d{1,8}$/.test(values.ttl)) throw new Usage('--ttl is a whole number of seconds');
    const claims: Record<string, unknown> = {};
    for (const text of values.claim) {
      const [, name, json] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined || json === undefined) throw new Usage('--claim is NAME=JSON');
      try {
        claims[name] = JSON.parse(json);
      } catch {
        throw new Usage(`--claim ${name} is not JSON`);
      }
    }
    if (values.role !== undefined) claims.role = values.role;

    if (values.issuer !== undefined)
      return fromIssuer(
        values.issuer,
        { subject: values.sub, lifetimeSeconds: Number(values.ttl), scope: values.scope ?? '', claims },
        console,
      );

    const place = { platform: 'cli', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
    const loaded = await configOrProblems(console, place);
    if (!loaded) return 1;
    const { settings } = loaded.config;
    if (settings.environment !== 'development' || !settings.jwtSecret) {
      console.err('tokens are minted in development only, with TGEFD_JWT_SECRET, or by a local issuer (--issuer)');
      return 1;
    }
    if (values.scope !== undefined) claims.scope = values.scope;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const signed = new SignJWT({
      sub: values.sub,
      iat: nowSeconds,
      exp: nowSeconds + Number(values.ttl),
      jti: crypto.randomUUID(),
      ...(settings.jwtIssuer === null ? {} : { iss: settings.jwtIssuer }),
      ...(settings.jwtAudience === null
        ? {}
        : { aud: settings.jwtAudience.length === 1 ? (settings.jwtAudience[0] ?? '') : [...settings.jwtAudience] }),
      // Last, so that a token can be made wrong on purpose.
      ...claims,
    }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' });
    console.out(await signed.sign(new TextEncoder().encode(settings.jwtSecret.current)));
    return 0;
  },
};

/** Client of the issuer that `npm run dev` starts, and the field in which that issuer takes wishes. */
const demoClient = { id: 'demo-client', secret: 'demo-client-secret', wishes: 'x-token-wishes' };

interface Wishes {
  readonly subject: string;
  readonly lifetimeSeconds: number;
  readonly scope: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A token of the local development issuer by its token endpoint (client credentials, RFC 6749 §4.4). */
async function fromIssuer(issuer: string, wishes: Wishes, console: Console): Promise<number> {
  if (!URL.canParse(issuer) || !isLoopback(new URL(issuer)))
    throw new Usage('--issuer is the URL of a local issuer, on a loopback host');
  const response = await fetch(new URL('/token', issuer), {
    method: 'POST',
    redirect: 'error',
    headers: {
      authorization: `Basic ${btoa(`${demoClient.id}:${demoClient.secret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
      [demoClient.wishes]: encodeURIComponent(JSON.stringify(wishes)),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'urn:tgefd:api' }),
  }).catch(() => null);
  const body: unknown = response ? await response.json().catch(() => null) : null;
  if (typeof body === 'object' && body !== null && 'access_token' in body && typeof body.access_token === 'string') {
    console.out(body.access_token);
    return 0;
  }
  console.err(response ? `the issuer refused (${response.status})` : 'the issuer does not answer');
  return 1;
}
