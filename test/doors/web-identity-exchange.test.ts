import { createPrivateKey, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLayout } from '../../lib/archive/layout.ts';
import { createVerifier } from '../../lib/archive/signature.ts';
import { createMemoryOutbox } from '../../lib/audit/outbox-memory.ts';
import { composeArchive } from '../../lib/compose/archive/archive.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { Fetch } from '../../lib/decision/ports.ts';
import { cloudCredentials } from '../../lib/platform/cloud/credentials.ts';
import { s3Stores } from '../../lib/platform/cloud/object-stores.ts';
import { loadAssertionKey, parseAssertionKey } from '../../lib/respond/assertion-key.ts';
import { createWebIdentityTokens, WEB_IDENTITY_SUBJECT } from '../../lib/respond/assertion-web-identity.ts';
import { createExpiring } from '../../lib/secrets/expiring.ts';
import { AWS_AUDIENCE, type AwsCredentials, assumeRole } from '../../lib/secrets/web-identity.ts';
import { createS3Store } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { verifyArchive } from '../../lib/verify/verify.ts';
import { type Authority, type IssuedCertificate, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { cephPrograms, type Radosgw, startRadosgw } from '../support/radosgw.ts';
import { redisProgram, startRedis } from '../support/redis.ts';
import {
  createProvider,
  createRole,
  documentedTrust,
  type PublicIssuer,
  sha1Thumbprint,
  startPublicIssuer,
} from '../support/token-service.ts';
import { recordAt, signingJwk } from '../unit/archive/fixtures.ts';

const ceph = await cephPrograms();
const openssl = await opensslProgram();
const redisServer = await redisProgram();
const STREAM = 'tgefd:v1:audit';
const BUCKET = 'records';
const REGION = 'default';
const MINUTE_MS = 60_000;
/** A service account of Kubernetes, as its tokens name it. */
const POD = 'system:serviceaccount:tgefd-edge:tgefd-authorizer';
/** The provider takes it, the role does not. */
const ANOTHER_AUDIENCE = 'another.example';

interface Changes {
  readonly audience?: string;
  readonly subject?: string;
  readonly issuer?: string;
  readonly agoMs?: number;
  readonly certificate?: number;
}

/*
 * The whole way from our own issuer to an object: a door that publishes its keys, a token, the token service and the roles of
 * Ceph's radosgw, set up by the commands of docs/guides/secrets.md, credentials of an hour, objects written under them. Two
 * things differ from AWS: the service's address, and how Ceph reads a key set (test/support/token-service.ts).
 */
describeWith([...Object.values(ceph), openssl], 'a token of ours for credentials, on Ceph radosgw', () => {
  let s3: Radosgw;
  let owner: S3Client;
  let authority: Authority;
  let certificates: readonly IssuedCertificate[];
  let face: PublicIssuer;
  let door: StartedDoor;
  let roleArn: string;
  let podRoleArn: string;

  const jwkOf = (certificate: IssuedCertificate | undefined): string =>
    JSON.stringify(createPrivateKey(certificate?.keyPem ?? '').export({ format: 'jwk' }));
  const environment = (key = jwkOf(certificates[0])): Record<string, string> => ({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'none',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
    TGEFD_ISSUER_URL: face.issuer,
    TGEFD_ASSERTION_KEY: key,
  });
  beforeAll(async () => {
    [s3, authority] = await Promise.all([startRadosgw(ceph, { tokenService: true }), startAuthority(openssl)]);
    owner = createS3Client({
      endpoint: s3.endpoint,
      region: REGION,
      credentials: s3.credentials,
      timeoutMs: 20_000,
    });
    await owner.send(new CreateBucketCommand({ Bucket: BUCKET }));
    certificates = [await authority.issue({ subject: '/CN=now' }), await authority.issue({ subject: '/CN=next' })];
    face = await startPublicIssuer(authority, certificates);
    door = await startNodeDoor(environment());
    face.serve(door.url);
    const trusting = (SUBJECT: string) =>
      documentedTrust({
        ISSUER: face.issuer.replace('https://', ''),
        SUBJECT,
        ACCOUNT: '',
        BUCKET,
        KEY: 'arn:of-a-key',
      });
    const iam = { client: owner, endpoint: s3.endpoint };
    const ours = await trusting(WEB_IDENTITY_SUBJECT);
    await createProvider(iam, ours, {
      moreClientIds: [ANOTHER_AUDIENCE],
      thumbprints: certificates.map(sha1Thumbprint),
    });
    roleArn = await createRole(iam, ours, 'ours');
    podRoleArn = await createRole(iam, await trusting(POD), 'pods');
  });
  afterAll(async () => {
    await door?.stop();
    await face?.stop();
    await authority?.stop();
    await s3?.stop();
  });

  /** The token service as it is here, and nothing else. */
  const toService: Fetch = (input, init) => {
    expect(input).toBe(`https://sts.${REGION}.amazonaws.com/`);
    return fetch(s3.endpoint, init ?? {});
  };
  const exchange = (token: (audience: string) => Promise<string>) =>
    assumeRole(
      { arn: roleArn, region: REGION, sessionName: 'test' },
      { fetch: toService, token, clock: Date.now, timeoutMs: 10_000 },
    );
  const tokensOf = (certificate = certificates[0]) => {
    const parsed = parseAssertionKey(jwkOf(certificate));
    if (!parsed.ok) throw new Error(parsed.problem);
    return createWebIdentityTokens({ issuer: face.issuer, key: parsed.key }, { clock: Date.now, newId: randomUUID });
  };
  const storeWith = (credentials: () => Promise<AwsCredentials>) => {
    const client = createS3Client({ endpoint: s3.endpoint, region: REGION, credentials, timeoutMs: 20_000 });
    return createS3Store(client, storeSettings, { clock: Date.now });
  };

  test('the archive writes under them, and what it wrote verifies', async () => {
    const place = { platform: 'node', role: 'archive', upstreamBinding: false, bucketBinding: false } as const;
    const settings = {
      TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
      TGEFD_AUDIT_BUCKET: BUCKET,
      TGEFD_AUDIT_S3_ENDPOINT: s3.endpoint,
      TGEFD_AUDIT_S3_REGION: REGION,
      TGEFD_AUDIT_S3_ROLE_ARN: roleArn,
    };
    const loaded = loadConfig({ ...environment(), ...settings }, place);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { config } = loaded;
    let exchanges = 0;
    const counted: Fetch = (input, init) => {
      exchanges++;
      return toService(input, init);
    };
    const clock = () => Date.now();
    const runtime = { fetch: counted, clock, newId: randomUUID, sharePromises: true };
    const { store } = s3Stores(config.settings, { clock }, null, cloudCredentials(config, runtime));
    if (store === null) throw new Error('no store');

    const startedMs = Date.now() - 60 * MINUTE_MS;
    let atMs = startedMs;
    const outbox = createMemoryOutbox({ maximumEntries: 10_000 }, () => atMs);
    for (let n = 1; n <= 2500; n++) outbox.append(JSON.stringify(recordAt(`d-${n}`, ++atMs)));
    atMs = Date.now();
    const archive = composeArchive(config, {
      clock,
      newId: randomUUID,
      log: () => {},
      outbox,
      store,
      copies: null,
      runMs: 30_000,
    });
    expect(await archive?.run()).toMatchObject({ outcome: 'drained', records: 2500, entriesLeft: 0 });
    expect(exchanges).toBe(1);
    const report = await verifyArchive(
      { fromMs: null, toMs: null, expiredBeforeMs: 0 },
      {
        store,
        layout: createLayout('audit'),
        verifier: createVerifier([signingJwk]),
        copies: null,
      },
    );
    expect(report).toMatchObject({ integrity: 'intact', completeness: 'intact', order: 'intact', records: 2500 });
  });

  test('they are good for what the role may do, and for nothing beside it', async () => {
    const { value } = await exchange(tokensOf());
    const store = storeWith(async () => value);
    const bytes = new TextEncoder().encode('content');
    const denied = /\(AccessDenied, 403\)/;
    expect(await store.create('audit/batches/mine', bytes, 'text/plain')).toBe('created');
    await expect(store.remove('audit/batches/mine')).rejects.toThrow(denied);
    await expect(store.create('elsewhere/mine', bytes, 'text/plain')).rejects.toThrow(denied);
    const other = storeWith(async () => ({ ...value, sessionToken: value.sessionToken.replace(/^..../, 'AAAA') }));
    await expect(other.create('audit/batches/theirs', bytes, 'text/plain')).rejects.toThrow(/, 4\d\d\)/);
  });

  test('are fetched anew five minutes before they end, and the new ones write too', async () => {
    let aheadMs = 0;
    const stopwatch = () => performance.now() + aheadMs;
    const token = tokensOf(); // By the true time, as the service sees it.
    const credentials = createExpiring(() => exchange(token), { stopwatch, sharePromises: true });
    const store = storeWith(credentials);
    const first = await credentials();
    aheadMs = 54 * MINUTE_MS;
    expect(await credentials()).toBe(first);
    aheadMs = 56 * MINUTE_MS;
    const second = await credentials();
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(second.expiration.getTime()).toBeGreaterThan(Date.now() + 59 * MINUTE_MS);
    expect(await store.create('audit/batches/renewed', new Uint8Array([1]), 'text/plain')).toBe('created');
  });

  /** A token of ours but for what is changed. */
  const token = async (changes: Changes) => {
    const [now] = certificates;
    const { kid } = await kidOf(now);
    const { audience = AWS_AUDIENCE, subject = WEB_IDENTITY_SUBJECT, issuer = face.issuer } = changes;
    const seconds = Math.floor((Date.now() - (changes.agoMs ?? 0)) / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 300)
      .setJti(randomUUID())
      .sign(createPrivateKey(certificates[changes.certificate ?? 0]?.keyPem ?? ''));
  };

  describe('a token is refused that differs in nothing but', () => {
    test('nothing: that one passes', async () => {
      expect((await exchange(() => token({}))).value.sessionToken).not.toBe('');
    });

    test.each<[string, Changes]>([
      ['an audience that the provider does not take', { audience: 'https://upstream.example' }],
      ['an audience that the role does not take', { audience: ANOTHER_AUDIENCE }],
      ['the subject', { subject: 'alice' }],
      ['the issuer', { issuer: 'https://127.0.0.1:1/_authorizer' }],
      ['its age: ten minutes', { agoMs: 10 * MINUTE_MS }],
      ['the key that signed it, under the same key id', { certificate: 1 }],
    ])('%s', async (_, changes) => {
      await expect(exchange(() => token(changes))).rejects.toThrow(refused);
    });
  });

  describeWith([redisServer], 'a pod’s own token', () => {
    test('is what a door in Kubernetes writes with, read from the projected file, and another pod’s is none', async () => {
      const redis = await startRedis(redisServer);
      const folder = await mkdtemp(join(tmpdir(), 'tgefd-projected-'));
      const file = join(folder, 'object-store');
      const startedMs = Date.now() - 60 * MINUTE_MS;
      for (let n = 1; n <= 10; n++) {
        await redis.client.xadd(STREAM, `${startedMs + n}-0`, 'r', JSON.stringify(recordAt(`d-${n}`, startedMs + n)));
      }
      await writeFile(file, await token({ subject: 'system:serviceaccount:elsewhere:tgefd-authorizer' }));
      const pod = await startNodeDoor({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'none',
        TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
        TGEFD_REDIS_URL: redis.url,
        TGEFD_REDIS_TOKEN: redis.token,
        TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
        TGEFD_AUDIT_BUCKET: BUCKET,
        TGEFD_AUDIT_S3_ENDPOINT: s3.endpoint,
        TGEFD_AUDIT_S3_REGION: REGION,
        TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '1',
        AWS_ROLE_ARN: podRoleArn,
        AWS_WEB_IDENTITY_TOKEN_FILE: file,
        AWS_ENDPOINT_URL_STS: s3.endpoint,
      });
      try {
        await expect.poll(() => pod.lines.join('\n'), { timeout: 15_000 }).toMatch(/audit_archive_failed.*, 403\)/);
        expect(await redis.client.xlen(STREAM)).toBe(10);
        const own = await token({ subject: POD });
        await writeFile(file, own);
        await expect.poll(() => redis.client.xlen(STREAM), { timeout: 15_000 }).toBe(0);
        expect(pod.lines.join('\n')).not.toContain(own.slice(-40));
      } finally {
        await pod.stop();
        await redis.stop();
        await rm(folder, { recursive: true, force: true });
      }
    });
  });

  test('a key that is published no more is good for nothing, and the next one is', async () => {
    const [now, next] = certificates;
    await exchange(tokensOf(now));
    await expect(exchange(tokensOf(next))).rejects.toThrow(refused);
    const rotated = await startNodeDoor(environment(jwkOf(next)));
    face.serve(rotated.url);
    try {
      await exchange(tokensOf(next));
      await expect(exchange(tokensOf(now))).rejects.toThrow(refused);
    } finally {
      face.serve(door.url);
      await rotated.stop();
    }
  });

  test('an issuer that is away gives no credentials', async () => {
    face.serve('http://127.0.0.1:1');
    await expect(exchange(tokensOf())).rejects.toThrow(refused);
    face.serve(door.url);
    await exchange(tokensOf());
  });
});

const refused = /^status 40[03] from STS \(\w+\)$/;
const storeSettings = { bucket: BUCKET, conditionalWrites: true, retention: null, encryption: null };

async function kidOf(certificate: IssuedCertificate | undefined): Promise<{ readonly kid: string }> {
  const parsed = parseAssertionKey(
    JSON.stringify(createPrivateKey(certificate?.keyPem ?? '').export({ format: 'jwk' })),
  );
  const loaded = parsed.ok ? await loadAssertionKey(parsed.key) : null;
  if (loaded === null) throw new Error('no key');
  return loaded;
}
