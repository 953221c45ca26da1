const scopeToken = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

/**
 * The scopes that a claim, a header or a setting lists: a string split on spaces or commas, or an array of strings, each
 * one scope. What is no scope name (RFC 6749 §3.3; a comma is none either) grants nothing and is left out, so that an
 * array's `"read write"` never becomes two scopes. Null for a value of any other type.
 */
export function scopesIn(value: unknown): readonly string[] | null {
  if (typeof value === 'string') return unique(value.split(/[ ,]+/));
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) return null;
  return unique(value);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name) => scopeToken.test(name)))];
}
