import type { HeaderFields } from '../decision/request.ts';

/**
 * Header fields from Node's raw list: nothing dropped, nothing decoded, repetitions joined in order (RFC 9110 §5.3). The names
 * are put in lower case once; the few fields that a decision asks for are then found by length and text.
 *
 * @param rawHeaders - names and values in turn, as `IncomingMessage.rawHeaders` has them.
 */
export function rawFields(rawHeaders: readonly string[]): HeaderFields {
  return new RawFields(rawHeaders);
}

/**
 * The values of one field in order of arrival, joined by `, `; null where it was not sent.
 *
 * @param names - the names alone, in lower case.
 * @param raw - names and values in turn.
 * @param name - the field that is looked for, in any letter case.
 */
export function joinedValue(names: readonly string[], raw: readonly string[], name: string): string | null {
  const wanted = name.toLowerCase();
  let found: string | null = null;
  for (let at = 0; at < names.length; at++) {
    if (names[at] !== wanted) continue;
    const value = raw[at * 2 + 1] ?? '';
    found = found === null ? value : `${found}, ${value}`;
  }
  return found;
}

class RawFields implements HeaderFields {
  readonly #raw: readonly string[];
  readonly #names: readonly string[];

  constructor(raw: readonly string[]) {
    const names: string[] = [];
    for (let at = 0; at + 1 < raw.length; at += 2) names.push((raw[at] ?? '').toLowerCase());
    this.#raw = raw;
    this.#names = names;
  }

  get(name: string): string | null {
    return joinedValue(this.#names, this.#raw, name);
  }

  times(name: string): number {
    const wanted = name.toLowerCase();
    let count = 0;
    for (const each of this.#names) if (each === wanted) count++;
    return count;
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (let at = 0; at < this.#names.length; at++) yield [this.#names[at] ?? '', this.#raw[at * 2 + 1] ?? ''];
  }
}
