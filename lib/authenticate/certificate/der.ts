/** The part of DER (X.690) that reading a certificate takes. */

export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly encoding: Uint8Array;
}

/**
 * The elements that `bytes` is made of, one after the other and nothing besides; null when it is not. Lengths must be
 * definite and as short as can be (X.690 §10.1), tags below 31. Never throws, never reads beyond `bytes`.
 */
export function readElements(bytes: Uint8Array): Element[] | null {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    if (element === null) return null;
    elements.push(element);
    at += element.encoding.length;
  }
  return elements;
}

/** The elements inside the one element that `bytes` is, when that has the tag `wanted`. */
export function readOnly(bytes: Uint8Array, wanted: number): Element[] | null {
  const element = readElement(bytes, 0);
  return element?.tag === wanted && element.encoding.length === bytes.length ? readElements(element.content) : null;
}

function readElement(bytes: Uint8Array, at: number): Element | null {
  const [identifier, first] = [bytes[at], bytes[at + 1]];
  if (identifier === undefined || first === undefined || (identifier & 0x1f) === 0x1f) return null;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets < 1 || octets > 3) return null;
    length = 0;
    for (const end = start + octets; start < end; start++) length = length * 256 + (bytes[start] ?? 0);
    if (length < (octets === 1 ? 0x80 : 256 ** (octets - 1))) return null;
  }
  const end = start + length;
  if (end > bytes.length) return null;
  return { tag: identifier, content: bytes.subarray(start, end), encoding: bytes.subarray(at, end) };
}

/** An object identifier in dotted form (X.690 §8.19), or null. */
export function readObjectIdentifier({ tag: found, content }: Element): string | null {
  if (found !== tag.objectIdentifier) return null;
  const arcs: number[] = [];
  let arc = 0;
  let begun = false;
  for (const octet of content) {
    if ((!begun && octet === 0x80) || arc > 2 ** 45) return null;
    arc = arc * 128 + (octet & 0x7f);
    begun = octet >= 0x80;
    if (begun) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return begun || arcs.length === 0 ? null : arcs.join('.');
}

/** A UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 wants them (seconds, `Z`, no fraction), in epoch seconds; or null. */
export function readTime({ tag: found, content }: Element): number | null {
  const text = String.fromCharCode(...content.subarray(0, 16));
  const pattern = found === tag.utcTime ? /^\d{12}Z$/ : found === tag.generalizedTime ? /^\d{14}Z$/ : null;
  if (!pattern?.test(text)) return null;
  const full = found === tag.generalizedTime ? text : `${text < '50' ? '20' : '19'}${text}`;
  const [, date, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)?.map(String) ?? [];
  const iso = `${date}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const milliseconds = Date.parse(iso);
  // Date.parse takes 31 February for 3 March and hour 24 for the next day.
  return Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== iso ? null : milliseconds / 1000;
}
