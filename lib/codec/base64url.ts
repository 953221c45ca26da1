import { nodeBuffer } from './node-buffer.ts';

/** What newer engines bring. */
interface Engine {
  fromBase64?(text: string, options: { alphabet: 'base64url'; lastChunkHandling: 'loose' }): Uint8Array<ArrayBuffer>;
}
interface EncodingBytes {
  toBase64?(options: { alphabet: 'base64url'; omitPadding: true }): string;
}

const engine = Uint8Array as Engine;

const ALPHABET = /^[A-Za-z0-9_-]*$/;
/** Last characters whose unused bits are zero, by what is left of the text after whole blocks of four. */
const LAST_OF_TWO = /[AQgw]$/;
const LAST_OF_THREE = /[AEIMQUYcgkosw048]$/;

/**
 * Decodes base64url as JOSE writes it (RFC 7515 §2): no padding, no white space, no character of another alphabet, and
 * no set bits after the last byte (RFC 4648 §3.5), so that one sequence of bytes has exactly one spelling. Decodes the part
 * of `text` between two indexes; returns null for everything else. An empty part is an empty array.
 */
export function decodeBase64url(text: string, from = 0, to = text.length): Uint8Array<ArrayBuffer> | null {
  const part = from === 0 && to === text.length ? text : text.slice(from, to);
  const rest = part.length & 3;
  if (rest === 1 || !ALPHABET.test(part)) return null;
  if (rest === 2 && !LAST_OF_TWO.test(part)) return null;
  if (rest === 3 && !LAST_OF_THREE.test(part)) return null;
  if (nodeBuffer !== undefined) {
    const { buffer, byteOffset, byteLength } = nodeBuffer.from(part, 'base64url');
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  if (engine.fromBase64) return engine.fromBase64(part, { alphabet: 'base64url', lastChunkHandling: 'loose' });
  return bytesOf(atob(part.replaceAll('-', '+').replaceAll('_', '/')));
}

/** Writes bytes as base64url without padding (RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  if (nodeBuffer !== undefined) {
    return nodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
  }
  const text = (bytes as EncodingBytes).toBase64?.({ alphabet: 'base64url', omitPadding: true });
  return text ?? encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Writes bytes as base64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Decodes base64 (RFC 4648 §4) as `atob` reads it: white space and missing padding pass. Returns null for other text. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return bytesOf(atob(text));
  } catch {
    return null;
  }
}

function bytesOf(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
