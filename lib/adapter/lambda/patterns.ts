/**
 * Wildcard patterns as IAM reads them, over the paths of an endpoint table. A wildcard of IAM also matches `/` and nothing
 * at all, a `{name}` of the table exactly one non-empty segment: what the first covers too much has to be denied, and
 * what cannot be denied without denying too much has to be known.
 */

/** Stands for IAM's `*` in a glob, and for `{name}` in a shape; no path contains it. */
export const WILDCARD = '\0';
const SLASH = '/';

/** A path pattern of the table with every `{name}` as a wildcard, without the leading slash. */
export function shapeOf(pattern: string): string {
  return pattern
    .slice(1)
    .split(SLASH)
    .map((segment) => (segment.startsWith('{') ? WILDCARD : segment))
    .join(SLASH);
}

/** A glob as a policy spells it: IAM's own wildcards in a literal are escaped (policy variables `${*}`, `${?}`, `${$}`). */
export function iamPattern(glob: string): string {
  return glob.replace(/[*?$]/g, (character) => `\${${character}}`).replaceAll(WILDCARD, '*');
}

/** The glob that {@link iamPattern} spelled. */
export function globOf(pattern: string): string {
  return pattern.replace(/\$\{([*?$])\}|\*/g, (_, literal: string | undefined) => literal ?? WILDCARD);
}

/** What a shape's glob matches and the shape does not: a `{name}` with a slash in it, or with nothing in it. */
export function excessOf(shape: string): string[] {
  return [...shape.matchAll(/\0/g)].flatMap(({ index }) => [
    `${shape.slice(0, index)}${WILDCARD}/${shape.slice(index)}`,
    `${shape.slice(0, index)}${shape.slice(index + 1)}`,
  ]);
}

/** Whether the endpoint table prefers `one` to `other` wherever both match: from the left, a literal beats `{name}`. */
export function beats(one: string, other: string): boolean {
  const [ours, theirs] = [one.split(SLASH), other.split(SLASH)];
  if (ours.length !== theirs.length) return false;
  const place = ours.findIndex((segment, at) => (segment === WILDCARD) !== (theirs[at] === WILDCARD));
  return place !== -1 && theirs[place] === WILDCARD;
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
    } else if (glob[inGlob] === WILDCARD || glob[inGlob] === shape[inShape]) {
      pending.push([next, inShape + 1]);
    }
  }
  return false;
}
