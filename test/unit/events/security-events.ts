import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { createFixedKeySets } from '../../../lib/authenticate/jwks/fixed-key-set.ts';
import type { RequestContext } from '../../../lib/decision/ports.ts';
import { createMemoryEvents } from '../../../lib/events/memory-store.ts';
import { createReceiver } from '../../../lib/events/receiver.ts';
import { createVerifyEvent } from '../../../lib/events/security-event-token.ts';
import { createMemoryRevocations } from '../../../lib/revoke/memory.ts';
import { fieldOf } from '../../../lib/revoke/revocation.ts';

export const NOW_SECONDS = 1_800_000_000;
export const TRANSMITTER = 'https://signals.example';
export const TOKENS = 'https://id.example';
export const AUDIENCE = 'https://api.example';
export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type';
export const ALICE = { format: 'iss_sub', iss: TOKENS, sub: 'alice' };

export const context: RequestContext = { defer: () => {} };

/** What a test changes about a security event token; undefined leaves a claim out. */
export interface Changed {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: CryptoKey;
}

/** A receiver with revocations in memory, and the transmitter that sends to it. */
export async function createSignals(row: { readonly types?: readonly string[] } = {}) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'signals-1', alg: 'ES256', use: 'sig' };
  const keySets = createFixedKeySets(JSON.stringify({ keys: [jwk] }), { algorithms: ['ES256'], uses: ['sig'] });
  let nowMs = NOW_SECONDS * 1000;
  const clock = () => nowMs;
  const revocations = createMemoryRevocations(clock);
  const transmitter = {
    spellings: [TRANSMITTER],
    audiences: [AUDIENCE],
    algorithms: ['ES256'],
    types: row.types ?? ['secevent+jwt'],
    keySets,
    subjectIssuers: new Set([TOKENS, TRANSMITTER]),
  };
  const receive = createReceiver(
    { clockSkewSeconds: 60, canonicalIssuer: (issuer) => issuer, longestLifeSeconds: () => 3600 },
    {
      verify: createVerifyEvent([transmitter], { clockSkewSeconds: 60 }, {}),
      store: createMemoryEvents(revocations, clock),
      clock,
    },
  );
  let count = 0;
  const token = async (events: unknown, { header = {}, claims = {}, key = privateKey }: Changed = {}) => {
    count += 1;
    const all = {
      iss: TRANSMITTER,
      aud: AUDIENCE,
      jti: `event-${count}`,
      iat: NOW_SECONDS,
      sub_id: ALICE,
      events,
      ...claims,
    };
    return new SignJWT(JSON.parse(JSON.stringify(all)))
      .setProtectedHeader({ alg: 'ES256', kid: 'signals-1', typ: 'secevent+jwt', ...header })
      .sign(key);
  };
  return {
    jwk,
    privateKey,
    revocations,
    token,
    pass: (seconds: number) => {
      nowMs += seconds * 1000;
    },
    receive: (text: string) => receive(text, context, true),
    push: async (events: unknown, changed: Changed = {}) => receive(await token(events, changed), context, true),
    /** Whether a token of a subject, issued at an instant, is refused. */
    refuses: (issuedAtSeconds: number | null, subject = 'alice', issuer = TOKENS) =>
      revocations.lookUp([{ kind: 'sub', field: fieldOf('sub', `${issuer}\n${subject}`) }], issuedAtSeconds) !== null,
    refusesToken: (id: string, issuer = TOKENS) =>
      revocations.lookUp([{ kind: 'jti', field: fieldOf('jti', `${issuer}\n${id}`) }], NOW_SECONDS) !== null,
  };
}

/** One event by its type. */
export function eventOf(uri: string, payload: object = {}) {
  return { [uri]: payload };
}
