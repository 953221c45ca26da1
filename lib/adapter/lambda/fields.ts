import type { HeaderFields } from '../../decision/request.ts';
import { joinedValue } from '../../request/raw-fields.ts';
import type { ManyTexts, Texts } from './event-shape.ts';

/**
 * Header fields of an event, readable in any letter case. REST APIs show all values of a field in `multiValueHeaders` and
 * only the last one in `headers`, HTTP APIs join them. Two spellings of one name are one field sent twice, joined by `, `.
 */
export function fieldsOf(many: ManyTexts | null, single: Texts | null): HeaderFields {
  const names: string[] = [];
  const raw: string[] = [];
  for (const name in many) {
    const lower = name.toLowerCase();
    for (const value of many[name] ?? []) {
      names.push(lower);
      raw.push(lower, value);
    }
  }
  const complete = many && new Set(names);
  for (const name in single) {
    const value = single[name];
    const lower = name.toLowerCase();
    if (typeof value !== 'string' || complete?.has(lower) === true) continue;
    names.push(lower);
    raw.push(lower, value);
  }
  return new EventFields(names, raw);
}

/** Fields of which nobody can tell how often one was sent, since some events join repetitions: so it has no `times`. */
class EventFields implements HeaderFields {
  readonly #names: readonly string[];
  readonly #raw: readonly string[];

  constructor(names: readonly string[], raw: readonly string[]) {
    this.#names = names;
    this.#raw = raw;
  }

  get(name: string): string | null {
    return joinedValue(this.#names, this.#raw, name);
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
