/** The part of Node's `Buffer` that is quicker there than what the web's standards have. */
interface NodeBuffer {
  from(text: string, encoding: 'base64url' | 'latin1'): Uint8Array<ArrayBuffer>;
  from(bytes: ArrayBufferLike, offset: number, length: number): { toString(encoding: 'base64url' | 'hex'): string };
}

/** Node's `Buffer`, or undefined elsewhere. workerd has one too, which is slower than the engine's own methods and costs its start. */
export const nodeBuffer: NodeBuffer | undefined =
  'WebSocketPair' in globalThis ? undefined : (globalThis as { readonly Buffer?: NodeBuffer }).Buffer;
