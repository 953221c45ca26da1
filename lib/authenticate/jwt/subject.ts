const longest = 512;
const control = /[\p{Cc}\u2028\u2029]/u;

/**
 * Whether a text can name a caller everywhere the same: 1 to 512 characters, well-formed Unicode, no control characters or
 * line separators, and no white space at either end, which a header field would lose on the way to the upstream, so that
 * ` admin` arrived there as `admin`. Does not limit it to ASCII.
 */
export function isSubject(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= longest &&
    value.isWellFormed() &&
    value.trim() === value &&
    !control.test(value)
  );
}
