import { createHmac, randomBytes } from 'node:crypto';
import { createDecide } from './decide.ts';

/**
 * Makes a million decisions for 100,000 identities in turn and prints, for each tenth, the live heap after a full collection and the
 * processor time of a decision. Budgets are on, in memory; tokens are HS256, which is for development only, so that signing them
 * does not take longer than the decisions. `node --expose-gc test/bench/flat.ts [decisions] [identities]`.
 */
const [decisions = 1_000_000, identities = 100_000] = process.argv.slice(2).map(Number);
const TENTHS = 10;

const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error('run it with node --expose-gc');
const secret = randomBytes(48).toString('base64url');
const [issuer, audience] = ['https://issuer.example.test', 'urn:bench:api'];
const nowSeconds = Math.floor(Date.now() / 1000);

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const head = part({ alg: 'HS256', typ: 'at+jwt' });
const tokenOf = (identity: number): string => {
  const claims = { iss: issuer, aud: audience, sub: `caller-${identity}`, client_id: 'bench', jti: `${identity}` };
  const signed = `${head}.${part({ ...claims, scope: 'jobs', iat: nowSeconds - 10, exp: nowSeconds + 3000 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
};

const decide = await createDecide({
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_SECRET: secret,
  TGEFD_JWT_ISSUER: issuer,
  TGEFD_JWT_AUDIENCE: audience,
  TGEFD_JWT_ALLOWED_ALGS: 'HS256',
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_RATE_LIMIT_PER_MINUTE: '600',
  TGEFD_FORWARD_AUTH: 'nginx',
  TGEFD_AUDIT_MODE: 'off',
  TGEFD_AUDIT_LOG: 'false',
});

console.log('| decisions | live heap, MiB | CPU µs per decision |\n|--:|--:|--:|');
for (let tenth = 1, made = 0; tenth <= TENTHS; tenth++) {
  let micros = 0;
  for (const until = (decisions * tenth) / TENTHS; made < until; ) {
    // Signed in blocks, so that what the generator of the load costs and holds is not ours.
    const block = Array.from({ length: Math.min(1_000, until - made) }, (_, at) => tokenOf((made + at) % identities));
    made += block.length;
    const { user, system } = process.cpuUsage();
    for (const token of block) await decide(`Bearer ${token}`);
    const used = process.cpuUsage({ user, system });
    micros += used.user + used.system;
  }
  gc();
  const heap = process.memoryUsage().heapUsed / 2 ** 20;
  console.log(`| ${made} | ${heap.toFixed(1)} | ${((micros * TENTHS) / decisions).toFixed(1)} |`);
}
