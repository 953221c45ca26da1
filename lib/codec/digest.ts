import { nodeBuffer } from './node-buffer.ts';

/** What an engine or Node may bring to write hexadecimal. */
interface EngineBytes {
  toHex?(): string;
}

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  if (nodeBuffer !== undefined)
    return nodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  const native = (bytes as EngineBytes).toHex?.();
  if (native !== undefined) return native;
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** SHA-256 of some bytes, raw. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** HMAC-SHA-256 of a text under a key, at once, where a runtime has one. */
export type InstantHmac = (key: string, text: string) => Uint8Array;

/** The same by Web Cryptography. */
export async function hmacSha256(keyText: string, text: string): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey('raw', utf8(keyText), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(text)));
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

const encoder = new TextEncoder();
