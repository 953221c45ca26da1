import type { HeaderFields } from '../lib/decision.ts';

/** Header fields from Node's raw list: nothing dropped, nothing decoded, repetitions joined in order (RFC 9110 §5.3). */
export const rawFields = (rawHeaders: readonly string[]): HeaderFields => {
  let byName: Map<string, string> | null = null;
  const index = () => {
    const fields = new Map<string, string>();
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at]?.toLowerCase() ?? '';
      const value = rawHeaders[at + 1] ?? '';
      const before = fields.get(name);
      fields.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    return fields;
  };
  return {
    get: (name) => {
      byName ??= index();
      return byName.get(name) ?? byName.get(name.toLowerCase()) ?? null;
    },
    *[Symbol.iterator]() {
      for (let at = 0; at + 1 < rawHeaders.length; at += 2)
        yield [rawHeaders[at]?.toLowerCase() ?? '', rawHeaders[at + 1] ?? ''] as [string, string];
    },
  };
};
