import { type Element, readElements, readObjectIdentifier, tag } from './der.ts';

/** Short names that OpenSSL writes, so that nginx, Envoy and Cloudflare give a subject the same text as we do. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.72', 'role'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC'],
]);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true });
const toUtf8 = new TextEncoder();

/**
 * A Name (RFC 5280 §4.1.2.4) as RFC 4514 text, octet by octet what OpenSSL's RFC 2253 form is: last name first, attributes
 * without a known short name by number and as `#` and hexadecimal digits, everything outside of printable ASCII escaped.
 * Null when it is malformed.
 */
export function readName(content: Uint8Array): string | null {
  const relativeNames = readElements(content);
  if (relativeNames === null) return null;
  const parts: string[] = [];
  for (const relativeName of relativeNames.reverse()) {
    const attributes = relativeName.tag === tag.set ? readElements(relativeName.content) : null;
    if (attributes === null || attributes.length === 0) return null;
    const texts = attributes.reverse().map(readAttribute);
    if (texts.includes(null)) return null;
    parts.push(texts.join('+'));
  }
  return parts.join(',');
}

function readAttribute(attribute: Element): string | null {
  const [type, value, ...rest] = (attribute.tag === tag.sequence && readElements(attribute.content)) || [];
  const oid = type ? readObjectIdentifier(type) : null;
  if (oid === null || value === undefined || rest.length > 0) return null;
  const shortName = shortNames.get(oid);
  if (shortName === undefined || !isText(value)) return `${shortName ?? oid}=#${hexadecimal(value.encoding)}`;
  const text = readText(value);
  return text === null ? null : `${shortName}=${escaped(text)}`;
}

function isText({ tag: found }: Element): boolean {
  return (
    found === tag.utf8String ||
    found === tag.printableString ||
    found === tag.ia5String ||
    found === tag.numericString ||
    found === tag.visibleString ||
    found === tag.t61String ||
    found === tag.bmpString
  );
}

/** T.61 is read as Latin-1, as everybody does; characters outside of a type's own repertoire make it malformed. */
function readText({ tag: found, content }: Element): string | null {
  try {
    if (found === tag.utf8String) return utf8.decode(content);
    if (found === tag.bmpString) return utf16.decode(content);
  } catch {
    return null;
  }
  if (found !== tag.t61String && content.some((octet) => octet > 0x7f)) return null;
  return Array.from(content, (octet) => String.fromCharCode(octet)).join('');
}

/** RFC 4514 §2.4; `\\` and two digits for each octet that is not printable ASCII. */
function escaped(text: string): string {
  const octets = toUtf8.encode(text);
  return Array.from(octets, (octet, index) => {
    if (octet < 0x20 || octet > 0x7e) return `\\${hexadecimal([octet])}`;
    const character = String.fromCharCode(octet);
    const edge =
      (character === ' ' && (index === 0 || index === octets.length - 1)) || (character === '#' && index === 0);
    return edge || ',+"\\<>;'.includes(character) ? `\\${character}` : character;
  }).join('');
}

export function hexadecimal(octets: ArrayLike<number>): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0').toUpperCase()).join('');
}
