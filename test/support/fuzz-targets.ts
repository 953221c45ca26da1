import type { SecureContext } from 'node:tls';
import { fetchKeySet } from '../../lib/authenticate/jwks/key-set-fetch.ts';
import { keySetByDiscovery } from '../../lib/authenticate/jwks/key-source.ts';
import { sleep } from '../../lib/codec/sleep.ts';
import type { Fetch } from '../../lib/decision/ports.ts';
import { createEgress } from '../../lib/egress/guard.ts';
import { createTracer } from '../../lib/observe/traces.ts';
import { createNodeEgress, type NodeEgress } from '../../lib/platform/node/egress.ts';
import { createNodeFetch } from '../../lib/platform/node/fetch.ts';
import { createNodeRedisExchange } from '../../lib/platform/node/redis.ts';
import { identifyConnections } from '../../lib/platform/node/tls/client-connections.ts';
import { createNodeUpstream } from '../../lib/platform/node/upstream.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';
import { createExtensionSecrets } from '../../lib/secrets/aws-extension.ts';
import { createVaultSecrets } from '../../lib/secrets/vault.ts';
import { assumeRole } from '../../lib/secrets/web-identity.ts';
import { createS3Store } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { createSignedPut } from '../../lib/storage/s3/s3-put.ts';
import { tcpFuzzTargets } from './fuzz-targets-tcp.ts';
import type { Dialect, Honest } from './fuzzing-peer.ts';

/** Something that calls a peer, as the product does on Node. */
export interface FuzzTarget {
  readonly name: string;
  readonly honest: Honest;
  /** What the peer speaks; absent: HTTP. */
  readonly dialect?: Dialect;
  /** Kinds of nonsense that must never count as a success; absent: those of HTTP. */
  readonly neverGood?: readonly string[];
  /** Clients that call it, each of which has to come to an honest answer after each round; absent: one. */
  readonly clients?: number;
  /** It is only ever called without TLS. */
  readonly neverSecure?: true;
  /** A client. It calls the peer once. Resolves to `good` for a success, to anything else for a stated failure; must never hang. */
  connect(place: Place): () => Promise<string>;
}

/** Longest time of one call; a peer that is silent must not hold it longer. */
export const CALL_MS = 250;

const KEYS = JSON.stringify({ keys: [] });
const json = (body: unknown) => () => ({ fields: ['Content-Type: application/json'], body: JSON.stringify(body) });

/** Where a peer is, and how it is called. */
export interface Place {
  readonly port: number;
  readonly secure: boolean;
  readonly egress: NodeEgress;
  readonly guarded: Fetch;
  readonly url: string;
}

/** The place of a peer; with `context`, over TLS that believes the authorities of this context alone. */
export function placeOf(port: number, context: SecureContext | null): Place {
  const host = `127.0.0.1:${port}`;
  const identify = identifyConnections({ contextOf: () => context, onChange: () => {} });
  const egress = createNodeEgress(
    [{ host, name: '127.0.0.1', port, variable: 'X', addresses: 'loopback' }],
    () => {},
    context === null ? {} : { identify },
  );
  const guarded = createEgress(
    { allowedHosts: new Set([host]), deadlineMs: CALL_MS, maximumBodyBytes: 1024 * 1024 },
    createNodeFetch(egress),
    () => {},
  );
  const secure = context !== null;
  return { port, secure, egress, guarded, url: `${secure ? 'https' : 'http'}://${host}` };
}

const failed = (error: unknown) => (error instanceof Error ? `failed: ${error.name}` : 'failed');
const settled = (work: Promise<unknown>) => work.then(() => 'good', failed);
const log = () => {};

/** Every kind of peer that a Node process calls. */
export const fuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'upstream',
    honest: () => ({ body: 'ok' }),
    connect({ egress, url }) {
      const upstream = createNodeUpstream(new URL(url), { egress, maximumSockets: 16 });
      return async () => {
        const signal = AbortSignal.timeout(CALL_MS);
        try {
          const answer = await upstream({
            method: 'GET',
            target: '/',
            fields: [],
            body: null,
            length: null,
            upgrade: null,
            signal,
          });
          if (answer.status < 200 || answer.status > 599) return `an impossible status ${answer.status}`;
          const read = answer.arrayBuffer().then(() => 'good', failed);
          return await Promise.race([read, sleep(CALL_MS * 2).then(() => 'cut off')]).finally(() =>
            answer.body?.cancel().catch(() => undefined),
          );
        } catch (error) {
          return failed(error);
        }
      };
    },
  },
  {
    name: 'key set',
    honest: json({ keys: [] }),
    connect({ guarded, url }) {
      return async () => {
        const fetched = await fetchKeySet(`${url}/jwks`, CALL_MS, { fetch: guarded, sleep });
        return 'text' in fetched ? (fetched.text === KEYS ? 'good' : 'other text') : fetched.problem;
      };
    },
  },
  {
    name: 'Redis REST',
    honest: json({ result: 'PONG' }),
    connect({ egress, url }) {
      const client = createUpstashClient(createNodeRedisExchange(new URL(url), egress, () => {})('token'));
      return () =>
        settled(
          Promise.race([
            client.command(['PING'], AbortSignal.timeout(CALL_MS)),
            sleep(CALL_MS * 2).then(() => Promise.reject(new Error('deadline'))),
          ]),
        );
    },
  },
  {
    name: 'object store by the SDK',
    honest: () => ({ body: '' }),
    connect({ egress, url }) {
      const client = createS3Client({
        endpoint: url,
        region: 'auto',
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        timeoutMs: CALL_MS,
        agents: egress.agents(),
      });
      client.config.maxAttempts = async () => 1;
      const store = createS3Store(
        client,
        { bucket: 'b', conditionalWrites: true, retention: null, encryption: null },
        { clock: Date.now },
      );
      return () =>
        Promise.race([
          settled(store.create('k', new Uint8Array([1]), 'text/plain')),
          sleep(CALL_MS * 20).then(() => 'late'),
        ]);
    },
  },
  {
    name: 'object store by one PUT',
    honest: () => ({ body: '' }),
    connect({ guarded, url }) {
      const credentials = () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
      const store = createSignedPut(
        { bucketUrl: `${url}/b`, region: 'auto', conditionalWrites: true, credentials },
        guarded,
        Date.now,
      );
      return () => settled(store.create('k', new Uint8Array([1]), 'text/plain'));
    },
  },
  {
    name: 'collector',
    honest: json({}),
    connect({ guarded, url }) {
      const tally = { lost: 0 };
      const tracer = createTracer(
        { endpoint: `${url}/v1/traces`, headers: {}, serviceName: 's', timeoutMs: CALL_MS },
        { fetch: guarded, log },
        tally,
      );
      return async () => {
        const before = tally.lost;
        const deferred: Promise<unknown>[] = [];
        tracer.export(tracedRequest(), { defer: (promise) => void deferred.push(promise) });
        await Promise.all(deferred);
        return tally.lost === before ? 'good' : 'lost';
      };
    },
  },
  {
    name: 'Vault',
    honest: json({ data: { data: { field: 'value' }, ttl: 0 } }),
    connect({ guarded, url }) {
      const read = createVaultSecrets(
        { url, namespace: null, auth: { method: 'token' }, timeoutMs: CALL_MS },
        { fetch: guarded, stopwatch: steppingClock(), log, readCredential: async () => 'token' },
      );
      return () => settled(read('mount/path#field'));
    },
  },
  {
    name: 'AWS extension',
    neverSecure: true,
    honest: json({ SecretString: '{"field":"value"}' }),
    connect({ guarded, url }) {
      const read = createExtensionSecrets(
        { origin: url, token: 't', timeoutMs: CALL_MS },
        { fetch: guarded, stopwatch: steppingClock() },
      );
      return () => settled(read('name#field'));
    },
  },
  {
    name: 'web identity exchange',
    honest: () => ({
      body: '<A><AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></A>',
    }),
    connect({ guarded, url }) {
      const fetch = (_input: string, init?: RequestInit) => guarded(`${url}/`, init);
      const role = { arn: 'arn:aws:iam::1:role/r', region: 'eu-west-1', sessionName: 's' };
      return () => settled(assumeRole(role, { fetch, token: async () => 't', clock: Date.now, timeoutMs: CALL_MS }));
    },
  },
  {
    name: 'discovery',
    honest: ({ head, origin }) => ({
      body: head.includes('/.well-known/') ? JSON.stringify({ issuer: origin, jwks_uri: `${origin}/keys` }) : KEYS,
    }),
    connect({ guarded, url }) {
      const steady = steppingClock();
      const rules = { issuer: url, keySetHosts: [new URL(url).host] };
      return async () => {
        const read = await keySetByDiscovery(rules, { fetch: guarded, sleep, clock: steady }, null).read(CALL_MS * 2);
        return 'text' in read ? (read.text === KEYS ? 'good' : 'other text') : read.problem;
      };
    },
  },
  ...tcpFuzzTargets,
];

/** A clock on which every reading is long ago, so that no secret is remembered. */
function steppingClock(): () => number {
  let nowMs = Date.now();
  return () => (nowMs += 10_000);
}

function tracedRequest() {
  const atMs = Date.now();
  return {
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    parentSpanId: null,
    startMs: atMs,
    endMs: atMs + 1,
    stages: [],
    decision: {
      decisionId: 'd',
      requestId: 'r',
      door: 'gateway',
      method: 'GET',
      pattern: '/',
      action: 'a',
      authMethod: 'jwt',
      outcome: 'allowed',
      code: null,
      status: 200,
    },
  } as const;
}
