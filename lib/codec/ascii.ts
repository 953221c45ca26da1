import { nodeBuffer } from './node-buffer.ts';

const encoder = new TextEncoder();

/** The bytes of a text that holds ASCII characters only, as signatures are made over; its caller has looked. */
export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  return nodeBuffer === undefined ? encoder.encode(text) : nodeBuffer.from(text, 'latin1');
}
