const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const outside = 64;

const sextets = new Uint8Array(128).fill(outside);
for (let value = 0; value < alphabet.length; value++) sextets[alphabet.charCodeAt(value)] = value;

/**
 * Decodes base64url as JOSE writes it (RFC 7515 §2): no padding, no white space, no character of another alphabet, and
 * no set bits past the last byte (RFC 4648 §3.5), so that one sequence of bytes has exactly one spelling. Takes the part
 * of `text` between two indexes; gives null for everything else. An empty part is an empty array.
 */
export function decodeBase64url(text: string, from = 0, to = text.length): Uint8Array<ArrayBuffer> | null {
  const length = to - from;
  const rest = length & 3;
  if (rest === 1) return null;
  const bytes = new Uint8Array((length * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let index = from; index < to; index++) {
    const sextet = sextets[text.charCodeAt(index)] ?? outside;
    if (sextet === outside) return null;
    held = ((held << 6) | sextet) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}

/** Writes bytes as base64url without padding (RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3);
    const block = (first << 16) | (second << 8) | third;
    const digits = Math.min(bytes.length - at, 3) + 1;
    for (let digit = 0; digit < digits; digit++) text += alphabet[(block >> (18 - 6 * digit)) & 63];
  }
  return text;
}
