const attributeType = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;
const special = ' "#+,;<=>\\';
// A line feed here is Node's form, one attribute a line.
const neverBare = /[";<>\p{Cc}]/u;
const commonNameTypes = new Set(['cn', 'commonname', '2.5.4.3']);
const hexadecimal = /#(?:[0-9A-Fa-f]{2})+(?=$|[,+])/y;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const bytesOf = new TextEncoder();

/**
 * The one common name in a distinguished name written as RFC 4514 says (spaces around `=`, `,` and `+` are let through, as
 * OpenSSL writes them). Null when there is none, when there are several, or when the text is in another form: in
 * OpenSSL's old `/CN=…/O=…` form a slash inside a value looks like the start of the next one, so whoever chooses a value
 * could choose the name. A common name written as `#` and hexadecimal digits is not read.
 */
export function commonName(distinguishedName: string): string | null {
  let name: string | null = null;
  let at = 0;
  for (;;) {
    const equals = distinguishedName.indexOf('=', at);
    if (equals === -1) return null;
    const type = distinguishedName.slice(at, equals).trim();
    if (!attributeType.test(type)) return null;
    const value = readValue(distinguishedName, equals + 1);
    if (!value) return null;
    if (commonNameTypes.has(type.toLowerCase())) {
      if (name !== null || value.text === null) return null;
      name = value.text;
    }
    if (value.end === distinguishedName.length) return name;
    at = value.end + 1;
  }
}

interface Value {
  /** Null for a value in hexadecimal digits. */
  readonly text: string | null;
  readonly end: number;
}

/** Reads one attribute value up to the `,` or `+` that ends it, escapes resolved (RFC 4514 §3). */
function readValue(text: string, from: number): Value | null {
  const bytes: number[] = [];
  let kept = 0;
  let at = from;
  while (text[at] === ' ') at++;
  if (text[at] === '#') {
    hexadecimal.lastIndex = at;
    return hexadecimal.test(text) ? { text: null, end: hexadecimal.lastIndex } : null;
  }
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === ',' || character === '+') break;
    if (character === '\\') {
      const next = text[at + 1] ?? '';
      const pair = text.slice(at + 1, at + 3);
      if (next !== '' && special.includes(next)) {
        bytes.push(next.charCodeAt(0));
        at += 2;
      } else if (/^[0-9A-Fa-f]{2}$/.test(pair)) {
        bytes.push(Number.parseInt(pair, 16));
        at += 3;
      } else return null;
      kept = bytes.length;
    } else {
      if (neverBare.test(character)) return null;
      const whole = String.fromCodePoint(text.codePointAt(at) ?? 0);
      bytes.push(...bytesOf.encode(whole));
      at += whole.length;
      if (character !== ' ') kept = bytes.length;
    }
  }
  try {
    return { text: utf8.decode(new Uint8Array(bytes.slice(0, kept))), end: at };
  } catch {
    return null;
  }
}
