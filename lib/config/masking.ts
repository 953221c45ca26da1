/**
 * What people put into the wrong variable is often a secret. Nothing of it may reach a terminal or a log: user information of a
 * URL is left out, and what looks like a key, a token or a hash is told by its length.
 */

const PEM = /-----BEGIN /;
const KEY_IN_JSON = /"(?:kty|private_key)"\s*:/;
const TOKEN = /\beyJ[\w-]+\.[\w-]*(?:\.[\w-]*)?/g;
/** Twenty and more characters of base64, base64url or hexadecimal. */
const RUN = /[\w+/-]{20,}={0,2}/g;
/** The same where a slash separates: in a path or a sentence. */
const RUN_WITHOUT_SLASH = /[\w+-]{20,}={0,2}/g;
/** A word as people write them, perhaps with a short number behind it. */
const WORD = /^(?:[A-Za-z]?[a-z]{0,14}\d{0,3}|[A-Z]{1,15}|\d{1,6})$/;
const URL_FORM = /^([a-z][a-z0-9+.-]{0,20}:\/\/)([^?#\s]*)(.*)$/is;

function ofLength(text: string): string {
  return `[${text.length} characters]`;
}

function unlessWords(run: string): string {
  return run.split(/[-_]/).every((part) => WORD.test(part)) ? run : ofLength(run);
}

/** From the scheme (or the beginning) to the last `@`: a password may hold slashes and further `@`. */
function withoutUserInformation(text: string): string {
  const at = text.lastIndexOf('@');
  if (at === -1) return text;
  const scheme = text.indexOf('://');
  return `${text.slice(0, scheme === -1 || scheme > at ? 0 : scheme + 3)}[user information]${text.slice(at)}`;
}

/** A value without what looks like a secret. A short password that stands alone is not recognised. */
export function withoutSecrets(value: string): string {
  if (PEM.test(value)) return `PEM, ${ofLength(value)}`;
  if (KEY_IN_JSON.test(value)) return `a key in JSON, ${ofLength(value)}`;
  const open = withoutUserInformation(value).replace(TOKEN, (token) => `a token, ${ofLength(token)}`);
  const [, scheme, place, rest] = URL_FORM.exec(open) ?? [];
  if (scheme === undefined || place === undefined || rest === undefined) return open.replace(RUN, ofLength);
  return `${scheme}${place.replace(RUN_WITHOUT_SLASH, unlessWords)}${rest.replace(RUN, ofLength)}`;
}

/** A sentence of ours without what looks like a secret: what it quotes is masked as a value, names of several words stay. */
export function sentenceWithoutSecrets(text: string): string {
  return acceptedWithoutSecrets(
    text.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => `"${withoutSecrets(quoted.slice(1, -1))}"`),
  );
}

/** The same for a value that was accepted, a table of paths for example: only what cannot be words is left out. */
export function acceptedWithoutSecrets(text: string): string {
  if (PEM.test(text)) return `PEM, ${ofLength(text)}`;
  return text
    .replace(/(:\/\/)[^\s"`]*@/g, '$1[user information]@')
    .replace(TOKEN, (token) => `a token, ${ofLength(token)}`)
    .replace(RUN_WITHOUT_SLASH, unlessWords);
}

const LONGEST_SHOWN = 80;

/** A value that was not accepted, as a problem may show it. */
export function shownValue(text: string, isSecret = false): string {
  if (text === '') return 'an empty value';
  if (isSecret) return `${new TextEncoder().encode(text).length} bytes`;
  const open = withoutSecrets(text);
  return JSON.stringify(open.length > LONGEST_SHOWN ? `${open.slice(0, LONGEST_SHOWN)}…` : open);
}

const SHORTEST_HIDDEN = 6;

/** Hides the values of configured secrets, wherever they turn up: the same text is often pasted into two variables. */
export function hidingValues(secrets: readonly string[]): (text: string) => string {
  const hidden = secrets.filter(({ length }) => length >= SHORTEST_HIDDEN).sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((left, secret) => left.replaceAll(secret, `[${secret.length} characters]`), text);
}
