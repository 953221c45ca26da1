const attributeType = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;
const special = ' "#+,;<=>\\';
// A line feed here is Node's form, one attribute a line.
const neverBare = /[";<>\p{Cc}]/u;
const hexadecimal = /#(?:[0-9A-Fa-f]{2})+(?=$|[,+])/y;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const bytesOf = new TextEncoder();

/** One attribute of a distinguished name. */
export interface NameAttribute {
  /** In lower case, under one name where several are in use (`commonName` and `2.5.4.3` are `cn`). */
  readonly type: string;
  /** Escapes resolved; null for a value in hexadecimal digits, which `hexadecimal` holds. */
  readonly text: string | null;
  readonly hexadecimal: string | null;
}

/** Names of one attribute type: RFC 4514 §3, OpenSSL's and Microsoft's. */
const oneType: ReadonlyMap<string, string> = new Map([
  ['commonname', 'cn'],
  ['2.5.4.3', 'cn'],
  ['organizationname', 'o'],
  ['2.5.4.10', 'o'],
  ['organizationalunitname', 'ou'],
  ['2.5.4.11', 'ou'],
  ['countryname', 'c'],
  ['2.5.4.6', 'c'],
  ['localityname', 'l'],
  ['2.5.4.7', 'l'],
  ['stateorprovincename', 'st'],
  ['s', 'st'],
  ['2.5.4.8', 'st'],
  ['domaincomponent', 'dc'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
  ['userid', 'uid'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
  ['email', 'emailaddress'],
  ['e', 'emailaddress'],
  ['1.2.840.113549.1.9.1', 'emailaddress'],
  ['surname', 'sn'],
  ['2.5.4.4', 'sn'],
  ['givenname', 'gn'],
  ['2.5.4.42', 'gn'],
  ['2.5.4.5', 'serialnumber'],
]);

/**
 * The relative names of a distinguished name written as RFC 4514 says (spaces around `=`, `,` and `+` are let through, as
 * OpenSSL writes them), each with its attributes. Null when the text is in another form: in OpenSSL's old `/CN=…/O=…` form a
 * slash inside a value looks like the start of the next one, so whoever chooses a value could choose the name.
 */
export function readDistinguishedName(text: string): readonly (readonly NameAttribute[])[] | null {
  const names: NameAttribute[][] = [[]];
  let at = 0;
  for (;;) {
    const equals = text.indexOf('=', at);
    if (equals === -1) return null;
    const type = text.slice(at, equals).trim();
    if (!attributeType.test(type)) return null;
    const value = readValue(text, equals + 1);
    if (!value) return null;
    const lower = type.toLowerCase();
    const digits =
      value.text === null
        ? text
            .slice(equals + 1, value.end)
            .trim()
            .toUpperCase()
        : null;
    names.at(-1)?.push({ type: oneType.get(lower) ?? lower, text: value.text, hexadecimal: digits });
    if (value.end === text.length) return names;
    if (text[value.end] === ',') names.push([]);
    at = value.end + 1;
  }
}

/**
 * The one common name in a distinguished name. Null when there is none, when there are several, or when the text is in a
 * form that `readDistinguishedName` does not read. A common name written as `#` and hexadecimal digits is not read.
 */
export function commonName(distinguishedName: string): string | null {
  const attributes = readDistinguishedName(distinguishedName)?.flat() ?? [];
  const [name, another] = attributes.filter(({ type }) => type === 'cn');
  return another === undefined ? (name?.text ?? null) : null;
}

/**
 * One spelling for all that name the same subject: spacing, escapes, the case of types and the order of the parts do not
 * count. A text in another form stands for itself.
 */
export function canonicalName(distinguishedName: string): string {
  const names = readDistinguishedName(distinguishedName);
  if (names === null) return distinguishedName;
  return names
    .map((attributes) => attributes.map(writeAttribute).sort().join('+'))
    .sort()
    .join(',');
}

function writeAttribute({ type, text, hexadecimal: digits }: NameAttribute): string {
  if (text === null) return `${type.toUpperCase()}=${digits}`;
  const escaped = text.replace(/[\\"+,;<>=#\p{Cc}]|^ | $/gu, (character) =>
    Array.from(bytesOf.encode(character), (byte) => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
  );
  return `${type.toUpperCase()}=${escaped}`;
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
