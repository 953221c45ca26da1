import type { HeaderFields } from '../decision/request.ts';

/**
 * Header fields from Node's raw list: nothing dropped, nothing decoded, repetitions joined in order (RFC 9110 §5.3). Looked
 * through for each name, which for the few that a decision asks for costs less than an index of all.
 */
export function rawFields(rawHeaders: readonly string[]): HeaderFields {
  return {
    get: (wanted) => {
      let found: string | null = null;
      for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
        const name = rawHeaders[at];
        if (name?.length !== wanted.length || (name !== wanted && name.toLowerCase() !== wanted.toLowerCase()))
          continue;
        const value = rawHeaders[at + 1] ?? '';
        found = found === null ? value : `${found}, ${value}`;
      }
      return found;
    },
    times: (wanted) => {
      let count = 0;
      for (let at = 0; at + 1 < rawHeaders.length; at += 2)
        if (rawHeaders[at]?.length === wanted.length && rawHeaders[at]?.toLowerCase() === wanted.toLowerCase()) count++;
      return count;
    },
    *[Symbol.iterator]() {
      for (let at = 0; at + 1 < rawHeaders.length; at += 2)
        yield [rawHeaders[at]?.toLowerCase() ?? '', rawHeaders[at + 1] ?? ''] as [string, string];
    },
  };
}
