import type { Clock } from '../decision/ports.ts';

/** Reads a secret as it is kept: a text, or a JSON object whose members are named by `#field`. Rejects with a message that
 * may be shown. */
export type ReadDocument = (name: string) => Promise<string>;

/** Fields of one secret that are read this close together come from one reading, so that a value and the one before it
 * belong together even while somebody rotates. */
const ONE_READING_MS = 1_000;
const MAXIMUM_REMEMBERED = 64;

/**
 * Reads references of the form `name` (the whole text) or `name#field` (one member of a JSON object, which must be a
 * string). Rejects with a message that names the fault and never a value. Remembers texts for a second and keeps no promise,
 * so one reader may serve all requests of a Worker.
 */
export function createReferenceReader(read: ReadDocument, stopwatch: Clock): (reference: string) => Promise<string> {
  const readings = new Map<string, { readonly text: string; readonly atMs: number }>();
  return async (reference) => {
    const hash = reference.lastIndexOf('#');
    const name = hash === -1 ? reference : reference.slice(0, hash);
    if (name === '') throw new Error('a reference without a name');
    const earlier = readings.get(name);
    const fresh = earlier !== undefined && stopwatch() - earlier.atMs < ONE_READING_MS;
    const text = fresh ? earlier.text : await read(name);
    if (!fresh) {
      if (readings.size >= MAXIMUM_REMEMBERED) readings.clear();
      readings.set(name, { text, atMs: stopwatch() });
    }
    return hash === -1 ? text : memberOf(parsed(text), reference.slice(hash + 1));
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function memberOf(object: unknown, name: string): string {
  const value =
    typeof object === 'object' && object !== null && Object.hasOwn(object, name) ? Reflect.get(object, name) : null;
  if (typeof value === 'string') return value;
  throw new Error('a secret without the field asked for');
}
