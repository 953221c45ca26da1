import { CompactSign, type JWK } from 'jose';
import type { Clock } from '../decision/ports.ts';
import type { AuthMethod } from '../decision/principal.ts';
import { type AssertionKey, type LoadedAssertionKey, loadAssertionKey } from './assertion-key.ts';

/** `typ` of an assertion's header: explicit typing keeps it from being taken for an access token (RFC 8725 §3.11). */
export const ASSERTION_TYPE = 'tgefd-assertion+jwt';

/** The same of a Transaction Token (draft-ietf-oauth-transaction-tokens §3.1). */
export const TRANSACTION_TOKEN_TYPE = 'txntoken+jwt';

/** Which form an assertion has: our own, or that of a Transaction Token. */
export type AssertionProfile = 'tgefd' | 'txn-token';

/** Longest life of an assertion. Verifiers refuse a longer one, so it is no setting. */
export const ASSERTION_MAX_LIFETIME_SECONDS = 60;

export interface AssertionSettings {
  /** The first key signs; every key is published. A new key is listed second until every verifier may have seen it, and an
   * old one until `lifetimeSeconds` after its last signature. */
  readonly keys: readonly [AssertionKey, ...AssertionKey[]];
  /** `iss`. */
  readonly issuer: string;
  /** `aud`, and what `htu` begins with: the upstream's origin, without a trailing slash. */
  readonly audience: string;
  /** From 1 to 60. */
  readonly lifetimeSeconds: number;
  /** (`tgefd`) */
  readonly profile?: AssertionProfile;
}

/** What one assertion says: facts of one allowed decision. */
export interface AssertionFacts {
  /** `jti`. */
  readonly decisionId: string;
  readonly subject: string;
  /** Issuer of the caller's token, or null. */
  readonly issuer?: string | null;
  /** Claims that the configuration forwards, by their path; null: none are forwarded. */
  readonly claims?: Readonly<Record<string, unknown>> | null;
  readonly scopes: readonly string[];
  readonly authMethod: AuthMethod;
  /** Method of the request that goes upstream. */
  readonly method: string;
  /** Canonical path of the request that goes upstream, without query. */
  readonly path: string;
}

export interface Assertions {
  /**
   * A compact JWS (RFC 7515 §7.1) that names the caller for exactly one method, path and upstream. Does not cover query,
   * body or other header fields, and does not by itself prevent a second use within its life: a verifier that minds
   * remembers `jti`. Throws where `prepare` would tell a problem.
   */
  sign(facts: AssertionFacts): Promise<string>;
  /** The public key set (RFC 7517 §5) for `/_authorizer/jwks.json`. Throws where `prepare` would tell a problem. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>;
  /** Imports the keys ahead of the first request; tells what is wrong with them, without a value, or null. */
  prepare(): Promise<string | null>;
}

/**
 * Makes the signer of identity assertions. Keys are imported once, on first use; no promise outlives the call that made
 * it, so one signer may serve all requests of a Worker. Throws a RangeError on a lifetime outside 1 to 60 s.
 */
export function createAssertions(settings: AssertionSettings, clock: Clock): Assertions {
  const { lifetimeSeconds } = settings;
  if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= ASSERTION_MAX_LIFETIME_SECONDS)) {
    throw new RangeError(`an assertion lives from 1 to ${ASSERTION_MAX_LIFETIME_SECONDS} seconds`);
  }
  const encoder = new TextEncoder();
  let loaded: LoadedKeys | null = null;

  const load = async () => {
    loaded = await loadKeys(settings.keys);
    return loaded;
  };

  return {
    async sign(facts) {
      const { signing } = loaded ?? (await load());
      const claims = claimsOf(facts, settings, Math.floor(clock() / 1000));
      return new CompactSign(encoder.encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg: signing.algorithm, kid: signing.kid, typ: TYPES[settings.profile ?? 'tgefd'] })
        .sign(signing.privateKey);
    },
    async jwks() {
      return { keys: (loaded ?? (await load())).published };
    },
    async prepare() {
      try {
        await load();
        return null;
      } catch (error) {
        return error instanceof Error ? error.message : 'an assertion key cannot be used';
      }
    },
  };
}

interface LoadedKeys {
  readonly signing: LoadedAssertionKey;
  readonly published: readonly JWK[];
}

async function loadKeys(keys: AssertionSettings['keys']): Promise<LoadedKeys> {
  const loaded = await Promise.all(keys.map(loadAssertionKey));
  const usable = loaded.filter((key) => key !== null);
  const [signing] = usable;
  if (signing === undefined || usable.length < loaded.length) {
    throw new Error('the private and public members of an assertion key do not belong together');
  }
  if (new Set(usable.map((key) => key.kid)).size < usable.length) {
    throw new Error('two assertion keys have the same kid');
  }
  return { signing, published: usable.map((key) => key.publicJwk) };
}

const TYPES: Readonly<Record<AssertionProfile, string>> = {
  tgefd: ASSERTION_TYPE,
  'txn-token': TRANSACTION_TOKEN_TYPE,
};

function claimsOf(facts: AssertionFacts, settings: AssertionSettings, issuedAtSeconds: number) {
  return {
    ...{ iss: settings.issuer, aud: settings.audience, sub: facts.subject, scope: facts.scopes.join(' ') },
    ...{ iat: issuedAtSeconds, exp: issuedAtSeconds + settings.lifetimeSeconds },
    ...(settings.profile === 'txn-token' ? transactionClaims(facts, settings) : ownClaims(facts, settings)),
  };
}

/** What our own form says beside these. */
function ownClaims(facts: AssertionFacts, settings: AssertionSettings) {
  const { requester, request } = contextOf(facts, settings);
  return { ...requester, jti: facts.decisionId, ...request };
}

/** The same in a Transaction Token (§3.2): what is asked for in `tctx`, who asks and how in `rctx`. */
function transactionClaims(facts: AssertionFacts, settings: AssertionSettings) {
  const { requester, request } = contextOf(facts, settings);
  return { txn: facts.decisionId, req_wl: settings.issuer, tctx: request, rctx: requester };
}

function contextOf({ issuer = null, claims = null, authMethod, method, path }: AssertionFacts, to: AssertionSettings) {
  return {
    requester: { ...(issuer === null ? {} : { idp: issuer }), amr: [authMethod] },
    request: { htm: method, htu: `${to.audience}${path}`, ...(claims === null ? {} : { claims }) },
  };
}
