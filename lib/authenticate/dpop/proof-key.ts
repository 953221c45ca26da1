import { encodeBase64url } from '../../codec/base64url.ts';
import { sha256, utf8 } from '../../codec/digest.ts';
import { type JsonObject, member } from '../../codec/strict-json.ts';
import type { ProofCheck } from '../../decision/reason.ts';
import { type CheckedJwk, checkJwk, importJwk, unfitness } from '../jwks/json-web-key.ts';
import { type SignatureAlgorithm, signatureAlgorithms } from '../jwt/algorithms.ts';
import { mediaType } from '../jwt/token-header.ts';

/** The key that a proof brings with it, ready to verify. */
export interface ProofKey {
  readonly algorithm: SignatureAlgorithm;
  readonly key: CryptoKey;
  /** SHA-256 thumbprint of the JWK in base64url (RFC 7638). */
  readonly thumbprint: string;
}

/** `alg` values that a proof may have (RFC 9449 §4.3 step 5: asymmetric, and none of them `none`). */
export const PROOF_ALGORITHMS: readonly string[] = [...signatureAlgorithms]
  .filter(([, { keyType }]) => keyType !== 'oct')
  .map(([name]) => name);

const accepted = new Set(PROOF_ALGORITHMS);
const proofType = mediaType('dpop+jwt');

/**
 * Reads the header of a proof (RFC 9449 §4.2, §4.3 steps 4 to 7): `typ`, an asymmetric `alg`, and a public key in `jwk` that
 * fits it. Extensions (`crit`) are refused, since none is understood. Gives the check that fails otherwise.
 */
export async function readProofKey(header: JsonObject): Promise<ProofKey | ProofCheck> {
  const type = member(header, 'typ');
  if (typeof type !== 'string' || mediaType(type) !== proofType) return 'typ';
  const name = member(header, 'alg');
  if (typeof name !== 'string' || !accepted.has(name)) return 'alg';
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'crit';
  const jwk = checkJwk(member(header, 'jwk') ?? null);
  if (jwk === null || unfitness(jwk, name) !== null) return 'jwk';
  const key = await importJwk(jwk, name);
  const algorithm = signatureAlgorithms.get(name);
  if (key === null || algorithm === undefined) return 'jwk';
  return { algorithm, key, thumbprint: await thumbprintOf(jwk) };
}

/** RFC 7638 §3: the required members in the order of their names, without white space. */
async function thumbprintOf({ material }: CheckedJwk): Promise<string> {
  const { crv, e, kty, n, x, y } = material;
  const text = JSON.stringify({ crv, e, kty, n, x, y });
  return encodeBase64url(await sha256(utf8(text)));
}
