import { isJsonObject, type JsonObject, member } from '../../codec/strict-json.ts';
import type { Clock, RequestContext } from '../../decision/ports.ts';
import { signerFromSet } from '../jwt/access-token.ts';
import { type SignaturePrimitive, withSynonyms } from '../jwt/algorithms.ts';
import { parseCompactJws } from '../jwt/compact-jws.ts';
import { isRefusal } from '../jwt/refusal.ts';
import { checkHeader, mediaType } from '../jwt/token-header.ts';
import type { TokenIssuer } from '../jwt/token-issuer.ts';

const TYPE = mediaType('token-introspection+jwt');

/**
 * The members of a signed answer (RFC 9701 §5): typed, signed by the issuer, made for this client and now. Null for any
 * other, and where the keys are out of reach: both are no answer.
 */
export async function signedMembers(
  text: string,
  settings: { readonly issuer: TokenIssuer; readonly clientId: string; readonly cacheSeconds: number },
  parts: { readonly signaturePrimitive?: SignaturePrimitive | undefined; readonly clock: Clock },
  context: RequestContext,
): Promise<JsonObject | null> {
  const { issuer, clientId, cacheSeconds } = settings;
  const jws = parseCompactJws(text);
  if (typeof jws === 'string' || issuer.keySets === null) return null;
  const algorithms = new Set(withSynonyms(issuer.algorithms));
  const header = checkHeader(jws.header, { algorithms, types: new Set([TYPE]), typeMayBeAbsent: false });
  if (isRefusal(header)) return null;
  const from = member(jws.claims, 'iss');
  const audience = [member(jws.claims, 'aud') ?? []].flat();
  if (typeof from !== 'string' || !issuer.spellings.includes(from) || !audience.includes(clientId)) return null;
  const madeAt = member(jws.claims, 'iat');
  const ageSeconds = typeof madeAt === 'number' ? parts.clock() / 1000 - madeAt : Number.POSITIVE_INFINITY;
  if (ageSeconds < -issuer.clockSkewSeconds || ageSeconds > cacheSeconds + issuer.clockSkewSeconds) return null;
  const signer = await signerFromSet(parts, issuer.keySets, header, jws, context, true);
  if ('outcome' in signer || isRefusal(signer)) return null;
  const members = member(jws.claims, 'token_introspection');
  return isJsonObject(members) ? members : null;
}
