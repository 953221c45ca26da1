import { listedNames } from '../codec/claim-values.ts';

const scopeToken = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

/**
 * The scopes that a claim, a header or a setting lists: a string split on spaces or commas, or an array of strings, each
 * one scope. What is no scope name (RFC 6749 §3.3; a comma is none either) grants nothing and is left out, so that an
 * array's `"read write"` never becomes two scopes. A value of any other type lists nothing.
 */
export function scopesIn(value: unknown): readonly string[] {
  return listedNames(value).filter((name) => scopeToken.test(name));
}
