import {
  calculateJwkThumbprint,
  FlattenedSign,
  flattenedVerify,
  importJWK,
  type JWK,
  base64url as joseBase64url,
} from 'jose';
import { utf8 } from '../codec/digest.ts';
import { type Seal, sealSchema } from './revoked-key.ts';

/** `typ` of a signature's header, so that no other JWS of the same key passes for one. */
const TYPES = { manifest: 'tgefd-audit-manifest', anchor: 'tgefd-audit-anchor' } as const;
export type DocumentKind = keyof typeof TYPES;

/** Signs documents with one private key. */
export interface Signer {
  /**
   * Gives the file of a signed document: the payload (one line of JSON), a line feed, a JWS with detached payload (RFC 7515
   * appendix F), a line feed.
   */
  sign(kind: DocumentKind, payload: string): Promise<string>;
}

/** Verifies documents against the public keys of those who may write. */
export interface Verifier {
  /**
   * Takes a file's bytes; gives its payload when a known key signed it as this kind. `forged`: no known key did.
   * `malformed`: it is no signed document at all. Does not look at what the payload says.
   */
  verify(kind: DocumentKind, file: Uint8Array<ArrayBuffer>): Promise<Verified>;
}

export type Verified =
  | {
      readonly outcome: 'genuine';
      readonly payload: string;
      readonly keyId: string;
      /** Of a revoked key: what it had signed when it was revoked. Whether that is this document is the reader's to say. */
      readonly seal: Seal | null;
    }
  | { readonly outcome: 'forged'; readonly payload: string; readonly keyId: string | null }
  | { readonly outcome: 'malformed' };

/** A JWK (RFC 7517), private where it signs: Ed25519 or P-256. To verify with, it may have a member `revoked`. */
export type ManifestJwk = JWK & { readonly revoked?: unknown };

/** Makes a signer; the key is imported on first use. Its id is its `kid`, else its RFC 7638 thumbprint. */
export function createSigner(jwk: JWK): Signer {
  const algorithm = algorithmOf(jwk);
  if (algorithm === null) throw new RangeError('a manifest is signed with an Ed25519 or P-256 key');
  let loaded: { readonly key: CryptoKey | Uint8Array; readonly keyId: string } | null = null;
  return {
    async sign(kind, payload) {
      loaded ??= { key: await importJWK(jwk, algorithm), keyId: await keyIdOf(jwk) };
      const jws = await new FlattenedSign(utf8(payload))
        .setProtectedHeader({ alg: algorithm, kid: loaded.keyId, typ: TYPES[kind] })
        .sign(loaded.key);
      return `${payload}\n${jws.protected}..${jws.signature}\n`;
    },
  };
}

/**
 * Makes a verifier of documents signed by any of these keys (private parts are not used). Throws a RangeError on a member
 * `revoked` that says nothing which can be understood.
 */
export function createVerifier(jwks: readonly ManifestJwk[]): Verifier {
  const seals = jwks.map(sealIn);
  let loaded: ReadonlyMap<
    string,
    { readonly key: CryptoKey | Uint8Array; readonly algorithm: string; readonly seal: Seal | null }
  > | null = null;
  const load = async () =>
    new Map(
      await Promise.all(
        jwks.map(async (jwk, place) => {
          const algorithm = algorithmOf(jwk);
          if (algorithm === null) throw new RangeError('a manifest is signed with an Ed25519 or P-256 key');
          return [
            await keyIdOf(jwk),
            { key: await importJWK(publicPart(jwk), algorithm), algorithm, seal: seals[place] ?? null },
          ] as const;
        }),
      ),
    );
  return {
    async verify(kind, file) {
      loaded ??= await load();
      const document = splitDocument(file);
      if (document === null) return { outcome: 'malformed' };
      const { payload, header, signature } = document;
      const keyId = keyIdIn(header);
      const known = keyId === null ? undefined : loaded.get(keyId);
      if (keyId === null || known === undefined) return { outcome: 'forged', payload, keyId };
      try {
        const { protectedHeader } = await flattenedVerify(
          { protected: header, payload: joseBase64url.encode(payload), signature },
          known.key,
          { algorithms: [known.algorithm] },
        );
        if (protectedHeader?.typ !== TYPES[kind]) return { outcome: 'forged', payload, keyId };
        return { outcome: 'genuine', payload, keyId, seal: known.seal };
      } catch {
        return { outcome: 'forged', payload, keyId };
      }
    },
  };
}

/** The public half of a signing key with its id, for those who verify. */
export async function publicSigningJwk(jwk: JWK): Promise<JWK> {
  const algorithm = algorithmOf(jwk);
  return { ...publicPart(jwk), kid: await keyIdOf(jwk), use: 'sig', ...(algorithm === null ? {} : { alg: algorithm }) };
}

function algorithmOf(jwk: JWK): 'EdDSA' | 'ES256' | null {
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return 'EdDSA';
  return jwk.kty === 'EC' && jwk.crv === 'P-256' ? 'ES256' : null;
}

function sealIn({ revoked }: ManifestJwk): Seal | null {
  if (revoked === undefined) return null;
  const parsed = sealSchema.safeParse(revoked);
  if (!parsed.success) throw new RangeError('`revoked` of a verification key is not understood');
  return parsed.data;
}

function publicPart({ kty, crv, x, y }: JWK): JWK {
  return {
    ...(kty === undefined ? {} : { kty }),
    ...(crv === undefined ? {} : { crv }),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
  };
}

async function keyIdOf(jwk: JWK): Promise<string> {
  return jwk.kid ?? (await calculateJwkThumbprint(publicPart(jwk)));
}

function splitDocument(
  file: Uint8Array<ArrayBuffer>,
): { readonly payload: string; readonly header: string; readonly signature: string } | null {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    return null;
  }
  const match = /^([^\n]+)\n([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]+)\n$/.exec(text);
  const [, payload, header, signature] = match ?? [];
  if (payload === undefined || header === undefined || signature === undefined) return null;
  return isCanonical(header) && isCanonical(signature) ? { payload, header, signature } : null;
}

/** Whether a base64url text is the only one of its bytes: no unused bits set (RFC 4648 §3.5). */
function isCanonical(text: string): boolean {
  try {
    return joseBase64url.encode(joseBase64url.decode(text)) === text;
  } catch {
    return false;
  }
}

function keyIdIn(header: string): string | null {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(joseBase64url.decode(header)));
    if (typeof parsed !== 'object' || parsed === null || !('kid' in parsed)) return null;
    return typeof parsed.kid === 'string' ? parsed.kid : null;
  } catch {
    return null;
  }
}
