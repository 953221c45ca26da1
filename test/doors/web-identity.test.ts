import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import type { Fetch } from '../../lib/decision/ports.ts';
import { cloudCredentials } from '../../lib/platform/cloud/credentials.ts';
import { s3Stores } from '../../lib/platform/cloud/object-stores.ts';
import { createS3Store } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const role = 'arn:aws:iam::123456789012:role/audit';
const issuer = 'https://api.example.com/_authorizer';

let key: string;
let bucket: LoopbackServer;
const received: IncomingHttpHeaders[] = [];
beforeAll(async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  key = JSON.stringify(await exportJWK(privateKey));
  bucket = await listenOnLoopback(
    createServer((incoming, outgoing) => {
      received.push(incoming.headers);
      incoming.resume().once('end', () => outgoing.end());
    }),
  );
});
afterAll(() => bucket?.down());

function environment(more: Record<string, string> = {}) {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'none',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1',
    TGEFD_ISSUER_URL: issuer,
    TGEFD_ASSERTION_KEY: key,
    ...more,
  };
}
function configOf(more: Record<string, string>) {
  const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
  const loaded = loadConfig(environment(more), place);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ variable, found }) => `${variable}: ${found}`).join('; '));
  return loaded.config;
}
function withRole() {
  return configOf({
    TGEFD_AUDIT_BUCKET: 'records',
    TGEFD_AUDIT_S3_ENDPOINT: `http://127.0.0.1:${bucket.port}`,
    TGEFD_AUDIT_S3_REGION: 'eu-central-1',
    TGEFD_AUDIT_S3_ROLE_ARN: role,
  });
}

/** STS as its documentation records it; `web-identity-exchange.test.ts` asks a real one. */
function sts() {
  const tokens: string[] = [];
  const fetch: Fetch = async (input, init) => {
    expect(input).toBe('https://sts.eu-central-1.amazonaws.com/');
    tokens.push(new URLSearchParams(String(init?.body)).get('WebIdentityToken') ?? '');
    const until = new Date(Date.now() + 3_600_000).toISOString();
    return new Response(
      `<R><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>session-1</SessionToken><Expiration>${until}</Expiration></Credentials></R>`,
    );
  };
  return { tokens, fetch };
}
function runtime(fetch: Fetch) {
  return { fetch, clock: () => Date.now(), newId: () => 'id', sharePromises: true };
}

describe.each(Object.entries({ node: startNodeDoor, workerd: startWorkerDoor }))(
  'as a cloud sees us, on %s',
  (_, start) => {
    test('a token of ours verifies by what the issuer publishes', async () => {
      const door = await start(environment());
      try {
        const document = await (await fetch(`${door.url}/_authorizer/.well-known/openid-configuration`)).json();
        expect(document).toMatchObject({ issuer, jwks_uri: `${issuer}/jwks.json` });
        const { tokens, fetch: exchange } = sts();
        const cloud = cloudCredentials(withRole(), runtime(exchange));
        if (cloud?.cloud !== 'aws') throw new Error('no role');
        await cloud.credentials();
        const { payload } = await jwtVerify(
          tokens[0] ?? '',
          createRemoteJWKSet(new URL(`${door.url}${new URL(document.jwks_uri).pathname}`)),
          { issuer, audience: 'sts.amazonaws.com', subject: 'tgefd-authorizer' },
        );
        expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
      } finally {
        await door.stop();
      }
    });

    test('without an issuer there is no such page', async () => {
      const { TGEFD_ISSUER_URL: _issuer, TGEFD_ASSERTION_KEY: _key, ...without } = environment();
      const door = await start(without);
      try {
        expect((await fetch(`${door.url}/_authorizer/.well-known/openid-configuration`)).status).toBe(404);
      } finally {
        await door.stop();
      }
    });
  },
);

test('the archive writes with the role’s credentials, fetched once', async () => {
  const { tokens, fetch: exchange } = sts();
  const config = withRole();
  const { store } = s3Stores(config.settings, { clock: Date.now }, null, cloudCredentials(config, runtime(exchange)));
  received.length = 0;
  for (const name of ['a', 'b']) await store?.create(name, new Uint8Array([1]), 'text/plain');
  expect(received.map((headers) => headers['x-amz-security-token'])).toEqual(['session-1', 'session-1']);
  expect(received[0]?.authorization).toContain('Credential=ASIAEXAMPLE/');
  expect(tokens).toHaveLength(1);
});

test('at Google Cloud each request carries the access token instead of a signature', async () => {
  const client = createS3Client({
    endpoint: `http://127.0.0.1:${bucket.port}`,
    region: 'auto',
    credentials: null,
    accessToken: async () => 'federated',
    timeoutMs: 5_000,
  });
  const settings = { bucket: 'records', conditionalWrites: false, retention: null, encryption: null };
  received.length = 0;
  await createS3Store(client, { ...settings, conditionalWrites: true }, { clock: Date.now }).create(
    'a',
    new Uint8Array([1]),
    'text/plain',
  );
  expect(received.map(({ authorization }) => authorization)).toEqual(['Bearer federated']);
});

test.each([
  [
    'a role without an issuer',
    { TGEFD_AUDIT_S3_ROLE_ARN: role, TGEFD_AUDIT_S3_REGION: 'eu-west-1' },
    ['TGEFD_ISSUER_URL'],
  ],
  ['an issuer without a key', { TGEFD_ISSUER_URL: issuer }, ['TGEFD_ASSERTION_KEY']],
  [
    'an issuer elsewhere',
    { TGEFD_ISSUER_URL: 'https://api.example.com/', TGEFD_ASSERTION_KEY: 'ES256' },
    ['TGEFD_ISSUER_URL'],
  ],
])('%s does not hold together', (_, more, variables) => {
  const { TGEFD_ISSUER_URL: _issuer, TGEFD_ASSERTION_KEY: _key, ...base } = environment();
  const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
  const env = { ...base, ...(more as Record<string, string>) };
  const loaded = loadConfig('TGEFD_ASSERTION_KEY' in env ? { ...env, TGEFD_ASSERTION_KEY: key } : env, place);
  expect(loaded.ok ? [] : loaded.problems.map(({ variable }) => variable)).toEqual(variables);
});
