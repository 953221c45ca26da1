import type { HeaderFields } from '../../decision/request.ts';

type Single = Readonly<Record<string, string | null | undefined>> | null | undefined;
type Many = Readonly<Record<string, readonly string[] | null | undefined>> | null | undefined;

/**
 * Header fields of an event, readable in any letter case. REST APIs show all values of a field in `multiValueHeaders` and
 * only the last one in `headers`, HTTP APIs join them. Two spellings of one name are one field sent twice, joined by `, `.
 */
export function fieldsOf(many: Many, single: Single): HeaderFields {
  const fields = new Map<string, string>();
  const add = (lower: string, value: string) => {
    const before = fields.get(lower);
    fields.set(lower, before === undefined ? value : `${before}, ${value}`);
  };
  for (const name in many) for (const value of many[name] ?? []) add(name.toLowerCase(), value);
  const complete = many ? new Set(fields.keys()) : null;
  for (const name in single) {
    const value = single[name];
    const lower = name.toLowerCase();
    if (typeof value === 'string' && complete?.has(lower) !== true) add(lower, value);
  }
  return { get: (name) => fields.get(name.toLowerCase()) ?? null, [Symbol.iterator]: () => fields.entries() };
}

/** Query parameters of an event in the same two shapes; their names keep their letter case. */
export function parametersOf(many: Many, single: Single): [string, string][] {
  const repeated = Object.entries(many ?? {}).flatMap(([name, values]) => (values ?? []).map((value) => [name, value]));
  const once = Object.entries(single ?? {}).filter(([name]) => !Object.hasOwn(many ?? {}, name));
  return [...repeated, ...once].map(([name = '', value]) => [name, value ?? '']);
}
