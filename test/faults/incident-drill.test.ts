import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { composeArchive } from '../../functions/archive/compose.ts';
import { createFolderStore } from '../../functions/archive/folder-store.ts';
import { main } from '../../functions/cli.ts';
import { compose } from '../../functions/compose.ts';
import { createUlids } from '../../functions/ids.ts';
import { publicSigningJwk } from '../../lib/audit/manifest-signature.ts';
import { auditRecordSchema } from '../../lib/audit/schema.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { signingJwk } from '../unit/audit/fixtures.ts';

const program = await redisProgram();
const boundSeconds = 2;
const home = '198.51.100.7';
const thief = '203.0.113.66';
/** The archive waits for a batch to grow old; the drill does not. */
const later = () => Date.now() + 600_000;

describeWith([program], 'incident drill: leak, detect, revoke, rotate, prove', () => {
  let folder: string;
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  let door: StartedDoor | null = null;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tgefd-drill-'));
    [issuer, upstream, redis] = await Promise.all([startIssuer(), startUpstream(), startRedis(program)]);
    await writeFile(join(folder, 'auditors.json'), JSON.stringify(await publicSigningJwk(signingJwk)));
  });
  afterEach(() => door?.stop());
  afterAll(() =>
    Promise.all([issuer?.stop(), upstream?.stop(), redis?.stop(), rm(folder, { recursive: true, force: true })]),
  );

  const environment = (more: Record<string, string> = {}) => ({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWKS_URL: issuer.keySetUrl,
    TGEFD_JWKS_TTL_SEC: '1',
    TGEFD_JWT_ISSUER: issuer.url,
    TGEFD_JWT_AUDIENCE: issuer.audience,
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_REDIS_TIMEOUT_MS: '2000',
    TGEFD_REVOCATION_MAX_DELAY_SEC: String(boundSeconds),
    TGEFD_AUDIT_MODE: 'strict',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'the pseudonym key of the incident drill',
    ...more,
  });

  const archiveEnvironment = () => ({
    ...environment(),
    TGEFD_AUDIT_BUCKET: 'records',
    TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
  });

  const ask = async (credential: Record<string, string>, address: string) =>
    (await fetch(`${door?.url}/v1/metrics`, { headers: { 'x-forwarded-for': address, ...credential } })).status;
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  /** The operator's command line, with the environment of the deployment. */
  const operator = async (args: readonly string[], env: Record<string, string> = environment()) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await main(args, { env, out: (line) => void out.push(line), err: (line) => void err.push(line) });
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${err.join('; ')}`);
    return out;
  };

  /** Drains the outbox into the archive, as the schedule does. */
  const archive = async () => {
    const env = {
      ...environment(),
      TGEFD_AUDIT_BUCKET: 'records',
      TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
    };
    const place = { platform: 'lambda', role: 'archive', upstreamBinding: false, bucketBinding: false } as const;
    const loaded = loadConfig(env, place);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const runtime = {
      clock: later,
      newId: createUlids(later),
      log: () => undefined,
      fetch: (input: string, init?: RequestInit) => fetch(input, init),
      random: () => 0.5,
      sleep: async () => undefined,
      sharePromises: true,
      sharedKeySet: null,
      upstream: null,
      auditLine: null,
      spill: null,
      redisExchange: null,
    };
    const { outbox } = compose(loaded.config, runtime);
    if (outbox === null) throw new Error('no outbox');
    const store = createFolderStore(join(folder, 'archive'));
    await composeArchive(loaded.config, { ...runtime, outbox, store, copies: null, runMs: 60_000 })?.run();
  };

  /** Records that a query of the archive finds, which `audit verify` has found whole. */
  const found = async (...terms: string[]) => {
    await archive();
    const place = ['--folder', join(folder, 'archive'), '--keys', join(folder, 'auditors.json')];
    await operator(['audit', 'verify', ...place]);
    const byFolder = ['--folder', join(folder, 'archive')];
    const env = {
      ...environment(),
      TGEFD_AUDIT_BUCKET: 'records',
      TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
    };
    const lines = await operator(['audit', 'query', '--json', ...terms, ...byFolder], env);
    return lines.map((line) => {
      const { n: _n, stream_id: _id, ...record } = JSON.parse(line);
      return auditRecordSchema.parse(record);
    });
  };

  /** Uses a stolen credential again and again until it is refused for good; gives when it last passed. */
  const abuse = (credential: Record<string, string>) => {
    let stopped = false;
    let lastPassedMs = 0;
    let passed = 0;
    const done = (async () => {
      while (!stopped) {
        const beganMs = Date.now();
        if ((await ask(credential, thief)) !== 200) continue;
        lastPassedMs = beganMs;
        passed++;
      }
    })();
    return {
      async end() {
        stopped = true;
        await done;
        return { lastPassedMs, passed };
      },
    };
  };
  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const report = (what: string, revokedMs: number, lastPassedMs: number, boundMs: number, passed: number) =>
    console.log(
      `drill, ${what}: the thief passed ${passed} times, for the last time ${lastPassedMs - revokedMs} ms after the revocation; bound ${boundMs} ms`,
    );

  test('a stolen access token', async () => {
    door = await startNodeDoor(environment());
    const stolen = bearer(await issuer.token({ subject: 'alice' }));
    expect(await ask(stolen, home)).toBe(200);
    const theft = abuse(stolen);
    await pause(300);

    // Detect: one identity from two addresses.
    const records = await found('--identity', 'alice');
    expect(new Set(records.map(({ client_address }) => client_address)).size).toBe(2);

    // Revoke, and hold the product to the bound that it prints.
    const revokedMs = Date.now();
    const said = await operator(['revoke', '--sub', 'alice', '--reason', 'drill']);
    expect(said.join('\n')).toContain(`within ${boundSeconds} s`);
    await pause(boundSeconds * 1000 + 1_200);
    const boundMs = boundSeconds * 1000;

    // Rotate: the caller gets a new token, which passes; the stolen one does not.
    const fresh = bearer(await issuer.token({ subject: 'alice' }));
    expect([await ask(fresh, home), await ask(stolen, home)]).toEqual([200, 401]);
    const { lastPassedMs, passed } = await theft.end();
    report('stolen access token', revokedMs, lastPassedMs, boundMs, passed);
    expect(passed).toBeGreaterThan(0);

    // Prove.
    const from = new Date(revokedMs + boundMs).toISOString();
    const [thiefs] = await operator(['audit', 'pseudonym', '--address', thief], archiveEnvironment());
    const after = await found('--identity', 'alice', '--from', from);
    expect(after.filter(({ outcome }) => outcome === 'allowed').map((record) => record.client_address)).not.toContain(
      thiefs,
    );
    expect(after.filter(({ reason }) => reason === 'credential_revoked').length).toBeGreaterThan(0);
  });

  test('a token signing key', async () => {
    door = await startNodeDoor(environment());
    const jwk = issuer.signingKeys.find(({ alg }) => alg === 'RS256') ?? {};
    const kid = jwk.kid ?? '';
    const forged = bearer(
      await new SignJWT({ scope: 'metrics', client_id: 'x' })
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'at+jwt' })
        .setIssuer(issuer.url)
        .setAudience(issuer.audience)
        .setSubject('whoever-i-like')
        .setIssuedAt()
        .setJti('forged')
        .setExpirationTime('10 min')
        .sign(await importJWK(jwk, 'RS256')),
    );
    const theft = abuse(forged);
    await pause(300);
    const revokedMs = Date.now();
    await operator(['revoke', '--kid', kid, '--reason', 'drill']);
    await issuer.rotate({ keepOld: false });
    await pause(boundSeconds * 1000 + 500);
    expect(await ask(bearer(await issuer.token({ subject: 'bob' })), home)).toBe(200);
    const { lastPassedMs, passed } = await theft.end();
    report('token signing key', revokedMs, lastPassedMs, boundSeconds * 1000, passed);
    expect(passed).toBeGreaterThan(0);
    const from = new Date(revokedMs + boundSeconds * 1000).toISOString();
    expect(await found('--key-id', kid, '--outcome', 'allowed', '--from', from)).toEqual([]);
    expect((await found('--identity', 'whoever-i-like', '--outcome', 'allowed')).length).toBe(passed);
  });

  test('an API key in a mounted file', async () => {
    const path = join(folder, 'api-key');
    const put = async (text: string) => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    };
    await put('laptop:the-key-that-leaks');
    const { TGEFD_JWKS_URL: _url, TGEFD_JWT_ISSUER: _issuer, TGEFD_JWT_AUDIENCE: _audience, ...rest } = environment();
    door = await startNodeDoor({ ...rest, TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY_FILE: path });
    const theft = abuse({ 'x-api-key': 'the-key-that-leaks' });
    await pause(300);
    const revokedMs = Date.now();
    await put('desktop:a-new-key');
    const boundMs = 2_000;
    await pause(boundMs + 500);
    expect(await ask({ 'x-api-key': 'a-new-key' }, home)).toBe(200);
    const { lastPassedMs, passed } = await theft.end();
    report('API key', revokedMs, lastPassedMs, boundMs, passed);
    expect(passed).toBeGreaterThan(0);
    const from = new Date(revokedMs + boundMs).toISOString();
    expect(await found('--key-id', 'laptop', '--outcome', 'allowed', '--from', from)).toEqual([]);
    expect((await found('--key-id', 'desktop')).length).toBe(1);
    const readings = await operator(
      ['audit', 'accesses', '--variable', 'TGEFD_API_KEY', '--json', '--folder', join(folder, 'archive')],
      archiveEnvironment(),
    );
    expect(new Set(readings.map((line) => JSON.parse(line).key_id)).size).toBe(2);
  });
});
