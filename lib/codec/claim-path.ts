/** The claims set of a token, or any other JSON object. */
export type Claims = Readonly<Record<string, unknown>>;

/** Where a value stands in a claims set. Compiled once, read for every token. */
export interface ClaimPath {
  /** As it was written. */
  readonly text: string;
  /** The value at this place; undefined where there is none, or where it is `null`. */
  read(claims: Claims): unknown;
}

/** Longest path that a configuration may hold, in characters. */
const longestPath = 512;
/** Most steps that one path may take. Claims nest at most 16 levels deep. */
const mostSteps = 16;

/**
 * Compiles a claim path. It is the exact name of a member of the claims set if there is one. Else a text that begins with
 * `/` is a JSON Pointer (RFC 6901), and any other text is names separated by dots. The exact name wins, so that
 * `https://example.com/roles` finds a claim of that name. Reads own members only: `constructor` finds nothing.
 *
 * @param text - the path, such as `realm_access.roles`.
 * @returns the path, ready to read.
 * @throws RangeError when the text is no path; `claimPathFault` tells beforehand.
 * @example
 * compileClaimPath('realm_access.roles').read({ realm_access: { roles: ['reader'] } }); // ['reader']
 */
export function compileClaimPath(text: string): ClaimPath {
  const fault = claimPathFault(text);
  if (fault !== null) throw new RangeError(`a claim path is ${fault}`);
  const steps = text.startsWith('/') ? pointerSteps(text) : text.split('.');
  const step = text.startsWith('/') ? pointerStep : memberOf;
  const read = (claims: Claims): unknown => {
    if (Object.hasOwn(claims, text)) return claims[text] ?? undefined;
    if (steps.length === 1 && steps[0] === text) return undefined;
    let value: unknown = claims;
    for (const name of steps) {
      value = step(value, name);
      if (value === undefined) return undefined;
    }
    return value ?? undefined;
  };
  return { text, read };
}

/**
 * Tells what is wrong with the text of a claim path.
 *
 * @param text - the text as configured.
 * @returns what a path must be, or null when nothing is wrong. Texts of other path languages are wrong here: JSONPath,
 * brackets, wildcards and lists would only ever be names that no token has.
 * @example
 * claimPathFault('$.realm_access.roles'); // 'without `$`: …'
 */
export function claimPathFault(text: string): string | null {
  if (text === '' || text.length > longestPath) return `1 to ${longestPath} characters long`;
  if (text.trim() !== text || /\p{Cc}/u.test(text)) return 'without control characters and outer spaces';
  if (/^\$(?=[.[]|$)/.test(text)) return 'without `$`: this is no JSONPath, write `realm_access.roles`';
  if (/\[[^\]]*\]/.test(text)) return 'without brackets: write `/name/0`, or names separated by dots';
  if (text.includes(',')) return 'without a comma: several paths are a list';
  if (/\|\||\s\|\s/.test(text)) return 'without `|`: several paths are a list';
  if (text.includes('*')) return 'without `*`: a path names one value';
  if (text.startsWith('/')) {
    if (/~(?![01])/.test(text)) return 'a JSON Pointer in which `~` stands as `~0` and `/` as `~1`';
    return text.split('/').length - 1 > mostSteps ? `at most ${mostSteps} steps long` : null;
  }
  // The dots of a URL separate nothing: such a name is exact.
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return null;
  const names = text.split('.');
  if (names.includes('')) return 'names separated by single dots';
  return names.length > mostSteps ? `at most ${mostSteps} steps long` : null;
}

/** RFC 6901 §4: `~1` becomes `/` first, then `~0` becomes `~`. */
function pointerSteps(text: string): readonly string[] {
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One step of names separated by dots: members of objects only. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Claims)[name] : undefined;
}

const arrayIndex = /^(0|[1-9][0-9]{0,6})$/;

/** One step of a JSON Pointer: a member of an object, or an entry of an array by its index. Never into a string. */
function pointerStep(value: unknown, token: string): unknown {
  if (!Array.isArray(value)) return memberOf(value, token);
  return arrayIndex.test(token) ? (value[Number(token)] as unknown) : undefined;
}
