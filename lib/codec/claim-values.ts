/** A value that a claim must have, as a policy writes it. */
export type WantedValue = string | number | boolean;

/** A test of one claim, compiled once. */
export interface ClaimTest {
  /** Whether the value of a claim is one of the wanted ones. `undefined` (an absent claim) never is. */
  holds(value: unknown): boolean;
  /** What is wanted, for the operator to read. */
  readonly wanted: string;
}

/**
 * Compiles the values that a claim may have: any one suffices. Scalars compare as text, numbers in their shortest decimal
 * form. A value that ends in `*` is a prefix. A claim that is an array holds when one of its entries does. Objects and
 * null never hold.
 *
 * @param wanted - one value or several.
 * @returns the compiled test.
 * @example
 * compileClaimTest(['repo:octo-org/*']).holds('repo:octo-org/app:ref:refs/heads/main'); // true
 */
export function compileClaimTest(wanted: WantedValue | readonly WantedValue[]): ClaimTest {
  const texts = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
  const exact = new Set(texts.filter((text) => !text.endsWith('*')));
  const prefixes = texts.filter((text) => text.endsWith('*')).map((text) => text.slice(0, -1));
  const holdsOne = (value: unknown): boolean => {
    const text = scalarText(value);
    return text !== null && (exact.has(text) || prefixes.some((prefix) => text.startsWith(prefix)));
  };
  return {
    holds: (value) => (Array.isArray(value) ? value.some(holdsOne) : holdsOne(value)),
    wanted: texts.join(' or '),
  };
}

/**
 * Tells what is wrong with a wanted value.
 *
 * @param value - the value as configured.
 * @returns what a value must be, or null when nothing is wrong.
 * @example
 * wantedValueFault('a*b'); // 'with `*` at its end only'
 */
export function wantedValueFault(value: WantedValue): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'a finite number';
  if (typeof value === 'boolean') return null;
  if (value === '') return 'not empty';
  return value.slice(0, -1).includes('*') ? 'with `*` at its end only' : null;
}

/**
 * Gives a scalar of JSON as text.
 *
 * @param value - any JSON value.
 * @returns the text, or null for null, arrays, objects and numbers without a decimal form.
 * @example
 * scalarText(1e21); // '1e+21'
 */
export function scalarText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null;
}

/**
 * The names that a claim lists: a string split on spaces or commas, or an array of strings, each one name. Anything
 * else lists nothing, an array with another type in it included. Order is kept, repetitions are dropped.
 *
 * @param value - the value of a claim.
 * @returns the names.
 * @example
 * listedNames('read write,delete'); // ['read', 'write', 'delete']
 */
export function listedNames(value: unknown): readonly string[] {
  if (typeof value === 'string') return unique(value.split(/[ ,]+/));
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? unique(value) : [];
}

/**
 * The names of roles that a claim lists: as `listedNames`, and the member names of an object (Zitadel writes roles so).
 *
 * @param value - the value of a claim.
 * @returns the names.
 * @example
 * listedRoles({ reader: { '1': 'acme.example' } }); // ['reader']
 */
export function listedRoles(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? unique(Object.keys(value))
    : listedNames(value);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name) => name !== ''))];
}
