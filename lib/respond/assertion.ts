import { CompactSign, type JWK } from 'jose';
import type { Clock } from '../decision/ports.ts';
import type { AuthMethod } from '../decision/principal.ts';
import { type AssertionKey, type LoadedAssertionKey, loadAssertionKey } from './assertion-key.ts';

/** `typ` of an assertion's header: explicit typing keeps it from being taken for an access token (RFC 8725 §3.11). */
export const ASSERTION_TYPE = 'tgefd-assertion+jwt';

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
  const { issuer, audience, lifetimeSeconds } = settings;
  if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= ASSERTION_MAX_LIFETIME_SECONDS)) {
    throw new RangeError(`an assertion lives from 1 to ${ASSERTION_MAX_LIFETIME_SECONDS} seconds`);
  }
  const encoder = new TextEncoder();
  let loaded: { readonly signing: LoadedAssertionKey; readonly published: readonly JWK[] } | null = null;

  const load = async () => {
    const keys = await Promise.all(settings.keys.map(loadAssertionKey));
    const usable = keys.filter((key) => key !== null);
    const [signing] = usable;
    if (signing === undefined || usable.length < keys.length) {
      throw new Error('the private and public members of an assertion key do not belong together');
    }
    if (new Set(usable.map((key) => key.kid)).size < usable.length) {
      throw new Error('two assertion keys have the same kid');
    }
    loaded = { signing, published: usable.map((key) => key.publicJwk) };
    return loaded;
  };

  return {
    async sign({
      decisionId,
      subject,
      issuer: idp = null,
      claims: forwarded = null,
      scopes,
      authMethod,
      method,
      path,
    }) {
      const { signing } = loaded ?? (await load());
      const issuedAtSeconds = Math.floor(clock() / 1000);
      const claims = {
        iss: issuer,
        aud: audience,
        sub: subject,
        ...(idp === null ? {} : { idp }),
        scope: scopes.join(' '),
        amr: [authMethod],
        jti: decisionId,
        iat: issuedAtSeconds,
        exp: issuedAtSeconds + lifetimeSeconds,
        htm: method,
        htu: `${audience}${path}`,
        ...(forwarded === null ? {} : { claims: forwarded }),
      };
      return new CompactSign(encoder.encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg: signing.algorithm, kid: signing.kid, typ: ASSERTION_TYPE })
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
