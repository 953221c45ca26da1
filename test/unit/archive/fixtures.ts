import type { JWK } from 'jose';
import { unpackBatch } from '../../../lib/archive/batch.ts';
import { createLayout } from '../../../lib/archive/layout.ts';
import { type ArchiveParts, type ArchiveSettings, createArchive } from '../../../lib/archive/run.ts';
import { createSigner, createVerifier } from '../../../lib/archive/signature.ts';
import { createMemoryOutbox } from '../../../lib/audit/outbox-memory.ts';
import { auditRecord } from '../../../lib/audit/record.ts';
import type { AuditRecord } from '../../../lib/audit/schema.ts';
import type { Decision } from '../../../lib/decision/outcome.ts';
import { createMemoryObjectStore } from '../../../lib/storage/memory.ts';
import { listAll, type ObjectStore } from '../../../lib/storage/store.ts';
import { type VerifyReport, verifyArchive } from '../../../lib/verify/verify.ts';

export const T0 = Date.parse('2026-11-24T10:00:00.000Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** A private key made for these tests only. */
export const signingJwk: JWK = {
  kty: 'OKP',
  crv: 'Ed25519',
  kid: 'archive-2026',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
};

/** Another, that nobody trusts unless told to. */
export async function otherJwk(): Promise<JWK> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const { kty, crv, x, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return { kty: kty ?? '', crv: crv ?? '', x: x ?? '', d: d ?? '', kid: 'somebody-else' };
}

export function decision(changes: Partial<Decision> = {}): Decision {
  return {
    id: 'd-1',
    atMs: T0,
    latencyMs: 1.25,
    door: 'gateway',
    method: 'POST',
    path: '/v1/evaluate',
    query: '?q=secret',
    endpoint: {
      action: 'evaluate',
      method: 'POST',
      pattern: '/v1/evaluate',
      scope: 'evaluate',
      budget: 'heavy',
      own: false,
    },
    pattern: '/v1/evaluate',
    boundary: {
      trustedHop: false,
      believed: new Headers({ authorization: 'Bearer raw.token.here' }),
      clientAddress: '203.0.113.7',
      addressPartition: '203.0.113.7',
      secure: true,
      host: 'api.example.org',
      requestId: 'r-1',
      traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
      parentSpanId: null,
      ingressIdentity: null,
    },
    authMethod: 'jwt',
    principal: {
      method: 'jwt',
      subject: 'alice@example.org',
      identity: 'alice@example.org',
      claims: null,
      issuer: 'https://issuer.example.org/',
      scopes: ['evaluate'],
      roles: [],
      keyId: 'kid-1',
      tokenId: 'token-id-1',
      issuedAtSeconds: T0 / 1000 - 60,
      expiresAtSeconds: T0 / 1000 + 600,
      thumbprint: null,
    },
    denial: null,
    wouldDeny: null,
    shadow: null,
    budgets: [{ name: 'heavy', quota: 60, windowSeconds: 60, remaining: 59, resetSeconds: 1 }],
    degraded: [],
    ...changes,
  };
}

/** Records of some decisions, one every `everyMs`. */
export function recordAt(id: string, atMs: number): AuditRecord {
  return auditRecord(decision({ id, atMs }), {
    identity: '0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAA',
    clientAddress: '0a1b2c3d.BBBBBBBBBBBBBBBBBBBBBB',
    status: 200,
    code: null,
    policy: null,
    build: 'test',
    shadow: null,
  });
}

export const layout = createLayout('audit');

export const archiveSettings: ArchiveSettings = {
  writer: 'main',
  settleMs: 1000,
  spillSettleMs: 10 * MINUTE,
  maximumAgeMs: 5 * MINUTE,
  leaseMs: MINUTE,
  runMs: HOUR,
};

/** An archive over memory parts, with a clock that tests set. */
export function createBench() {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const copied = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = createMemoryObjectStore(objects);
  const copies = createMemoryObjectStore(copied);
  const now = { ms: T0 };
  const clock = () => now.ms;
  const events: { readonly level: string; readonly event: string; readonly facts: unknown }[] = [];
  let ids = 0;
  const outbox = createMemoryOutbox({ maximumEntries: 1_000_000 }, clock);
  const parts: ArchiveParts = {
    source: outbox,
    lease: outbox,
    store,
    copies: null,
    layout,
    signer: createSigner(signingJwk),
    verifier: createVerifier([signingJwk]),
    clock,
    newId: () => `holder-${++ids}`,
    log: (level, event, facts) => void events.push({ level, event, facts }),
  };
  return {
    objects,
    copied,
    store,
    copies,
    now,
    clock,
    outbox,
    parts,
    events,
    archive: (changes: Partial<ArchiveParts> = {}, settings: Partial<ArchiveSettings> = {}) =>
      createArchive({ ...archiveSettings, ...settings }, { ...parts, ...changes }),
    /** Decisions `from` to `to`, one every `everyMs`, into the outbox. */
    decide(from: number, to: number, everyMs = 10) {
      for (let number = from; number <= to; number++) {
        now.ms += everyMs;
        void outbox.append(JSON.stringify(recordAt(`d-${number}`, now.ms)));
      }
    },
    verify: (changes: { copies?: ObjectStore | null; expiredBeforeMs?: number } = {}): Promise<VerifyReport> =>
      verifyArchive(
        { fromMs: null, toMs: null, expiredBeforeMs: changes.expiredBeforeMs ?? 0 },
        { store, layout, verifier: parts.verifier, copies: changes.copies ?? null },
      ),
  };
}

/** Every decision id in the batches of a bucket, in the order of keys; looks at objects, not at manifests. */
export async function decisionsIn(store: ObjectStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of listAll(store, layout.batches)) {
    const bytes = await store.read(key, Number.MAX_SAFE_INTEGER);
    const lines = bytes === null ? null : await unpackBatch(bytes);
    if (lines === null) throw new Error(`${key} cannot be read`);
    found.push(...lines.map(({ id, text }) => id ?? text));
  }
  return found;
}

export function names(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, place) => `d-${from + place}`);
}
