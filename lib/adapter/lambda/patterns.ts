/**
 * Wildcard patterns as IAM reads them, over the paths of an endpoint table. A wildcard of IAM also matches `/` and nothing
 * at all, a `{name}` of the table exactly one non-empty segment, a `{name...}` one or more: what the first covers too much
 * has to be denied, and what cannot be denied without denying too much has to be known.
 */

/** Stands for IAM's `*` in a glob, and for `{name}` in a shape; no path contains it. */
export const WILDCARD = '\0';
/** Stands for `{name...}` in a shape. */
export const TAIL = '\u0001';
const SLASH = '/';

/** A path pattern of the table with every name as a wildcard, without the leading slash. */
export function shapeOf(pattern: string): string {
  return pattern
    .slice(1)
    .split(SLASH)
    .map((segment) => (segment.endsWith('...}') ? TAIL : segment.startsWith('{') ? WILDCARD : segment))
    .join(SLASH);
}

/** A glob as a policy spells it: IAM's own wildcards in a literal are escaped (policy variables `${*}`, `${?}`, `${$}`). */
export function iamPattern(glob: string): string {
  return glob.replace(/[*?$]/g, (character) => `\${${character}}`).replaceAll(WILDCARD, '*');
}

/** The narrowest glob that matches every path of a shape. */
export function globOfShape(shape: string): string {
  return shape.replaceAll(TAIL, WILDCARD);
}

/** The glob that {@link iamPattern} spelled. */
export function globOf(pattern: string): string {
  return pattern.replace(/\$\{([*?$])\}|\*/g, (_, literal: string | undefined) => literal ?? WILDCARD);
}

/**
 * What a shape's glob matches and the shape does not: a `{name}` with a slash in it or with nothing in it, and a
 * `{name...}` that is empty, begins with a slash, or has an empty segment.
 */
export function excessOf(shape: string): string[] {
  const glob = globOfShape(shape);
  const ofNames = [...shape.matchAll(/\0/g)].flatMap(({ index }) => [
    `${glob.slice(0, index)}${WILDCARD}/${glob.slice(index)}`,
    `${glob.slice(0, index)}${glob.slice(index + 1)}`,
  ]);
  if (!shape.endsWith(TAIL)) return ofNames;
  const before = glob.slice(0, -1);
  return [...ofNames, before, `${before}/${WILDCARD}`, `${before}${WILDCARD}//${WILDCARD}`];
}

/**
 * Whether the endpoint table prefers `one` to `other` wherever both match: from the left, a literal beats `{name}`, and
 * `{name}` beats `{name...}`.
 */
export function beats(one: string, other: string): boolean {
  const [ours, theirs] = [one.split(SLASH), other.split(SLASH)];
  const place = ours.findIndex((segment, at) => rankOf(segment) !== rankOf(theirs[at] ?? ''));
  if (place !== -1 && rankOf(theirs[place] ?? '') === rankOf(TAIL)) return true;
  if (ours.length !== theirs.length) return false;
  return place !== -1 && rankOf(ours[place] ?? '') < rankOf(theirs[place] ?? '');
}

function rankOf(segment: string): number {
  return segment === TAIL ? 2 : segment === WILDCARD ? 1 : 0;
}

/** Whether some path of `shape` is matched by `glob`. Time: the product of their lengths. */
export function touches(glob: string, shape: string): boolean {
  const seen = new Set<number>();
  // Depth first over pairs of places; a pair is looked at once.
  const pending: [number, number][] = [[0, 0]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [inGlob, inShape] = pair;
    if (inGlob === glob.length && inShape === shape.length) return true;
    const key = inGlob * (shape.length + 1) + inShape;
    if (seen.has(key)) continue;
    seen.add(key);
    if (glob[inGlob] === WILDCARD) pending.push([inGlob + 1, inShape]);
    if (inGlob === glob.length || inShape === shape.length) continue;
    const next = glob[inGlob] === WILDCARD ? inGlob : inGlob + 1;
    if (shape[inShape] === WILDCARD) {
      // One more character of the segment: the segment may end after it or go on.
      if (glob[inGlob] !== SLASH) pending.push([next, inShape], [next, inShape + 1]);
    } else if (shape[inShape] === TAIL) {
      pending.push([next, inShape], [next, inShape + 1]);
    } else if (glob[inGlob] === WILDCARD || glob[inGlob] === shape[inShape]) {
      pending.push([next, inShape + 1]);
    }
  }
  return false;
}
