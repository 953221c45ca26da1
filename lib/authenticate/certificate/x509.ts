import { decodeBase64, encodeBase64url } from '../../codec/base64url.ts';
import type { ClientCertificate } from '../../decision/principal.ts';
import { type Element, readElements, readObjectIdentifier, readOnly, readTime, tag } from './der.ts';
import { hexadecimal, readName } from './x509-name.ts';

const maximumBytes = 32 * 1024;
const subjectAltNameOid = '2.5.29.17';
/** Context tags of a TBSCertificate (RFC 5280 §4.1): version, extensions. */
const version = 0xa0;
const extensions = 0xa3;
/** Context tags of a GeneralName (RFC 5280 §4.2.1.6) that name a caller. */
const namePrefixes: ReadonlyMap<number, string> = new Map([
  [0x81, 'email:'],
  [0x82, 'DNS:'],
  [0x86, 'URI:'],
]);

/**
 * Reads what names the holder of a DER certificate (RFC 5280 §4.1), all but its thumbprint; null when it is malformed.
 * Strict, bounded, never throws. Verifies nothing: not the signature, not the chain, not the purpose, not the validity.
 */
export function readX509(der: Uint8Array): Omit<ClientCertificate, 'thumbprint'> | null {
  const [toBeSigned, algorithm, signature, ...rest] = (der.length <= maximumBytes && readOnly(der, tag.sequence)) || [];
  if (toBeSigned?.tag !== tag.sequence || algorithm?.tag !== tag.sequence) return null;
  if (signature?.tag !== tag.bitString || rest.length > 0) return null;

  const fields = readElements(toBeSigned.content);
  if (fields === null) return null;
  if (fields[0]?.tag === version) fields.shift();
  const [serialNumber, , issuer, validity, subject, publicKey, ...optional] = fields;
  if (serialNumber?.tag !== tag.integer || issuer?.tag !== tag.sequence || publicKey?.tag !== tag.sequence) return null;

  const [notBefore, notAfter, ...more] = (validity?.tag === tag.sequence && readElements(validity.content)) || [];
  const notBeforeSeconds = notBefore ? readTime(notBefore) : null;
  const notAfterSeconds = notAfter ? readTime(notAfter) : null;
  if (notBeforeSeconds === null || notAfterSeconds === null || more.length > 0) return null;

  const name = subject?.tag === tag.sequence ? readName(subject.content) : null;
  const subjectAltNames = readSubjectAltNames(optional.find((field) => field.tag === extensions));
  if (name === null || subjectAltNames === null) return null;
  return {
    subject: name,
    issuer: readName(issuer.content) ?? '',
    serialNumber: hexadecimal(serialNumber.content),
    subjectAltNames,
    notBeforeSeconds,
    notAfterSeconds,
  };
}

/** A certificate from its DER, hashed (RFC 8705 §3.1); null when it is malformed. Verifies nothing, as `readX509`. */
export async function certificateFromDer(der: Uint8Array): Promise<ClientCertificate | null> {
  const read = readX509(der);
  if (read === null) return null;
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(der));
  return { ...read, thumbprint: encodeBase64url(new Uint8Array(digest)) };
}

/** A certificate from the text of exactly one PEM certificate (RFC 7468 §5); null for anything else. */
export async function certificateFromPem(pem: string): Promise<ClientCertificate | null> {
  const body = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(pem)?.[1];
  const der = body === undefined ? null : decodeStrictBase64(body.replace(/\s+/g, ''));
  return der === null ? null : certificateFromDer(der);
}

/** The octets of standard base64 (RFC 4648 §4) without whitespace, padded or not; null for anything else. */
export function decodeStrictBase64(text: string): Uint8Array | null {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? decodeBase64(text) : null;
}

function readSubjectAltNames(field: Element | undefined): string[] | null {
  if (field === undefined) return [];
  const list = readOnly(field.content, tag.sequence);
  if (list === null) return null;
  const found: Element[] = [];
  for (const extension of list) {
    const parts = extension.tag === tag.sequence ? readElements(extension.content) : null;
    const [id, value] = [parts?.[0], parts?.at(-1)];
    const oid = id ? readObjectIdentifier(id) : null;
    if (oid === null || value?.tag !== tag.octetString) return null;
    if (oid === subjectAltNameOid) found.push(value);
  }
  if (found.length > 1) return null;
  const names = found[0] ? readOnly(found[0].content, tag.sequence) : [];
  return names === null ? null : readNames(names);
}

/** Other kinds of name are left out; a name with a space, a NUL or anything else invisible makes the certificate malformed. */
function readNames(names: readonly Element[]): string[] | null {
  const texts: string[] = [];
  for (const name of names) {
    const prefix = namePrefixes.get(name.tag);
    if (prefix === undefined) continue;
    if (name.content.length === 0 || name.content.some((octet) => octet < 0x21 || octet > 0x7e)) return null;
    texts.push(prefix + Array.from(name.content, (octet) => String.fromCharCode(octet)).join(''));
  }
  return texts;
}
