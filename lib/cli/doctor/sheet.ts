import { printable } from '../../policy/explain/explanation.ts';
import type { Output } from '../command.ts';

/** Facts about a token, one line each, kept for the answer to a program. */
export interface Sheet {
  say(name: string, value: string): void;
  /** Every fact by its name, in snake case; what was said more than once is a list. */
  facts(): Readonly<Record<string, string | readonly string[]>>;
}

/** Makes a sheet that prints each fact at once. */
export function createSheet(console: Output): Sheet {
  const said = new Map<string, string[]>();
  return {
    say(name, value) {
      const key = name.replaceAll(' ', '_');
      said.set(key, [...(said.get(key) ?? []), value]);
      console.out(`${name.padEnd(14)} ${printable(value)}`);
    },
    facts: () =>
      Object.fromEntries([...said].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values])),
  };
}
