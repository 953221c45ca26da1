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

/**
 * The name of a subject at one issuer, for identities and revocations. Neither part can hold the separator, so that no two
 * pairs share a name, and none is the name of a subject alone.
 *
 * @param issuer - the issuer, in the spelling that goes upstream.
 * @param subject - the subject.
 * @returns both as one text.
 * @example
 * subjectAt('https://id.example', 'alice');
 */
export function subjectAt(issuer: string, subject: string): string {
  return `${issuer}\n${subject}`;
}

/** The two parts of a name that `subjectAt` made; the issuer is null for a subject alone. */
export function partsOfSubject(name: string): { readonly issuer: string | null; readonly subject: string } {
  const at = name.indexOf('\n');
  return at === -1 ? { issuer: null, subject: name } : { issuer: name.slice(0, at), subject: name.slice(at + 1) };
}
