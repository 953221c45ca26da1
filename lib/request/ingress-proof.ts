/**
 * The signed ingress proof (`TGEFD_INGRESS_SECRET`): how an ingress vouches for a request where its address proves
 * nothing. One field, `x-tgefd-ingress-proof: v1;t=<epoch seconds>;n=<nonce>;s=<HMAC-SHA256, base64url>`, over the lines
 *
 *   tgefd-ingress-proof v1
 *   <t>
 *   <n>
 *   <method>
 *   <target: path and query as sent to the authorizer>
 *   <Host as sent to the authorizer>
 *   <name>: <value>      for each covered field that is sent, names in lower case and sorted
 *
 * joined by LF without one at the end, as the octets that go over the wire. A covered field that is not sent has no
 * line, so that none can be added on the way.
 *
 * It does not prevent that whoever reads a proof sends the very same request again within the window: the connection
 * from the ingress must be TLS, and the body is not covered. The nonce only makes two proofs of one second differ.
 */

import { decodeBase64url, encodeBase64url } from '../codec/base64url.ts';
import type { CredentialUsed } from '../decision/principal.ts';
import type { HeaderFields } from '../decision/request.ts';

export const INGRESS_PROOF_FIELD = 'x-tgefd-ingress-proof';

/** How far the ingress's clock and ours may be apart, journey included. */
export const INGRESS_PROOF_WINDOW_SECONDS = 60;

export type IngressProofProblem = 'malformed' | 'expired' | 'mismatch';

/** The part of a request that a proof covers. */
export interface ProvenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderFields;
}

/** A SHA-256 in base64url has 43 characters, the last of which carries two zero bits (RFC 4648 §3.5). */
const PROOF = /^v1;t=([0-9]{1,12});n=([A-Za-z0-9_-]{8,64});s=([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/;
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;

/**
 * Takes the shared secret, the request as it will be sent (`headers` with `host`), the names of the covered fields
 * (`ingressFields`), the time in epoch seconds and a fresh nonce of 8 to 64 base64url characters; gives the value of
 * `x-tgefd-ingress-proof`. Throws where the request holds what no proof can cover: a line break, or a character that is
 * not one octet.
 */
export async function signIngressProof(
  secret: string,
  request: ProvenRequest,
  covered: readonly string[],
  atSeconds: number,
  nonce: string,
): Promise<string> {
  const octets = coveredOctets(request, covered.toSorted(), String(atSeconds), nonce);
  if (octets === null) throw new RangeError('a covered part has a line break or a character that is not one octet');
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', await importSecret(secret), octets));
  return `v1;t=${atSeconds};n=${nonce};s=${encodeBase64url(signature)}`;
}

/**
 * Takes the accepted secrets (current, then previous), the names of the covered fields and who counts which secret was
 * used; gives the check: the problem
 * of a proof, or null for a good one. Compares in constant time (the platform's HMAC verification).
 * Does not remember nonces.
 */
export function createIngressProofCheck(
  secrets: readonly string[],
  covered: readonly string[],
  used?: CredentialUsed,
): (proof: string, request: ProvenRequest, nowMs: number) => Promise<IngressProofProblem | null> {
  const sorted = covered.toSorted();
  // Keys, not promises of keys: on Workers a promise belongs to the request that made it.
  const keys: CryptoKey[] = [];

  return async (proof, request, nowMs) => {
    const [, time, nonce, signature] = PROOF.exec(proof) ?? [];
    if (time === undefined || nonce === undefined || signature === undefined) return 'malformed';
    if (Math.abs(nowMs / 1000 - Number(time)) > INGRESS_PROOF_WINDOW_SECONDS) return 'expired';
    const octets = coveredOctets(request, sorted, time, nonce);
    if (octets === null) return 'mismatch';
    const signed = decodeBase64url(signature);
    if (signed === null) return 'malformed';
    for (const [index, secret] of secrets.entries()) {
      const key = keys[index] ?? (await importSecret(secret));
      keys[index] = key;
      if (await crypto.subtle.verify('HMAC', key, signed, octets)) {
        used?.('ingress_secret', index === 0 ? 'current' : 'previous');
        return null;
      }
    }
    return 'mismatch';
  };
}

function importSecret(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), HMAC, false, ['sign', 'verify']);
}

/** The signed lines, one octet a character; null where a line could be read as two, or a character is no octet. */
function coveredOctets(
  { method, target, headers }: ProvenRequest,
  sortedNames: readonly string[],
  time: string,
  nonce: string,
): Uint8Array<ArrayBuffer> | null {
  const lines = ['tgefd-ingress-proof v1', time, nonce, method, target, headers.get('host') ?? ''];
  for (const name of sortedNames) {
    const value = headers.get(name);
    if (value !== null) lines.push(`${name}: ${value}`);
  }
  if (lines.some((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line))) return null;
  return Uint8Array.from(lines.join('\n'), (character) => character.charCodeAt(0));
}
