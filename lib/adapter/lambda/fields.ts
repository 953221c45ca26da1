import type { HeaderFields } from '../../decision/request.ts';
import type { ManyTexts, Texts } from './event-shape.ts';

/**
 * Header fields of an event, readable in any letter case. REST APIs show all values of a field in `multiValueHeaders` and
 * only the last one in `headers`, HTTP APIs join them. Two spellings of one name are one field sent twice, joined by `, `.
 */
export function fieldsOf(many: ManyTexts | null, single: Texts | null): HeaderFields {
  const names: string[] = [];
  const values: string[] = [];
  for (const name in many) {
    for (const value of many[name] ?? []) {
      names.push(name.toLowerCase());
      values.push(value);
    }
  }
  const complete = many && new Set(names);
  for (const name in single) {
    const value = single[name];
    const lower = name.toLowerCase();
    if (typeof value !== 'string' || complete?.has(lower) === true) continue;
    names.push(lower);
    values.push(value);
  }
  return new EventFields(names, values);
}

/** Names in lower case beside their values. A decision asks for few of them, so that to look is quicker than to index. */
class EventFields implements HeaderFields {
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  get(name: string): string | null {
    const names = this.#names;
    const wanted = name.toLowerCase();
    let found: string | null = null;
    for (let at = 0; at < names.length; at++) {
      if (names[at] !== wanted) continue;
      const value = this.#values[at] ?? '';
      found = found === null ? value : `${found}, ${value}`;
    }
    return found;
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (const name of new Set(this.#names)) yield [name, this.get(name) ?? ''];
  }
}

/** Query parameters of an event in the same two shapes; their names keep their letter case. */
export function parametersOf(many: ManyTexts | null, single: Texts | null): [string, string][] {
  const repeated = Object.entries(many ?? {}).flatMap(([name, values]) => (values ?? []).map((value) => [name, value]));
  const once = Object.entries(single ?? {}).filter(([name]) => !Object.hasOwn(many ?? {}, name));
  return [...repeated, ...once].map(([name = '', value]) => [name, value ?? '']);
}
