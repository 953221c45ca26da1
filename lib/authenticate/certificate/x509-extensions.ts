import { type Element, readElements, readObjectIdentifier, readOnly, tag } from './der.ts';

/** One extension of a certificate, read as far as verifying a chain takes. */
export interface CertificateExtension {
  readonly id: string;
  readonly isCritical: boolean;
  /** Of basic constraints (RFC 5280 §4.2.1.9). */
  readonly authority?: { readonly isAuthority: boolean; readonly pathLength: number | null };
  /** Of key usage (RFC 5280 §4.2.1.3): `keyCertSign`. */
  readonly signsCertificates?: boolean;
  /** Of extended key usage (RFC 5280 §4.2.1.12). */
  readonly purposes?: readonly string[];
}

const extensionsTag = 0xa3;
const keyCertSign = 0x04;

/**
 * Reads the extensions of a DER certificate. Strict, bounded, never throws.
 *
 * @returns the extensions; null when the certificate or one of them is malformed, or when one stands there twice.
 */
export function readExtensions(der: Uint8Array): readonly CertificateExtension[] | null {
  const [toBeSigned] = readOnly(der, tag.sequence) ?? [];
  const fields = toBeSigned?.tag === tag.sequence ? readElements(toBeSigned.content) : null;
  if (fields === null) return null;
  const field = fields.find((element) => element.tag === extensionsTag);
  if (field === undefined) return [];
  const extensions = readOnly(field.content, tag.sequence)?.map(readExtension) ?? null;
  if (extensions === null || extensions.includes(null)) return null;
  const read = extensions as CertificateExtension[];
  return new Set(read.map(({ id }) => id)).size === read.length ? read : null;
}

function readExtension(element: Element): CertificateExtension | null {
  const parts = element.tag === tag.sequence ? readElements(element.content) : null;
  const [first, second, third, ...more] = parts ?? [];
  const id = first === undefined ? null : readObjectIdentifier(first);
  if (id === null || second === undefined || more.length > 0) return null;
  const value = third ?? second;
  if (third !== undefined && (second.tag !== tag.boolean || second.content.length !== 1)) return null;
  if (value.tag !== tag.octetString) return null;
  const extension = { id, isCritical: third !== undefined && second.content[0] !== 0 };
  if (id === '2.5.29.19') return withAuthority(extension, value.content);
  if (id === '2.5.29.15') return withKeyUsage(extension, value.content);
  if (id === '2.5.29.37') return withPurposes(extension, value.content);
  return extension;
}

type Bare = Pick<CertificateExtension, 'id' | 'isCritical'>;

function withAuthority(extension: Bare, content: Uint8Array): CertificateExtension | null {
  const parts = readOnly(content, tag.sequence);
  if (parts === null) return null;
  const [first, second] = parts;
  const isAuthority = first?.tag === tag.boolean && first.content[0] !== 0;
  const length = first?.tag === tag.integer ? first : second;
  if (length === undefined) return { ...extension, authority: { isAuthority, pathLength: null } };
  const [octet, ...others] = length.content;
  if (length.tag !== tag.integer || octet === undefined || octet > 0x7f || others.length > 0) return null;
  return { ...extension, authority: { isAuthority, pathLength: octet } };
}

function withKeyUsage(extension: Bare, content: Uint8Array): CertificateExtension | null {
  const [bits, ...more] = readElements(content) ?? [];
  if (bits?.tag !== tag.bitString || more.length > 0) return null;
  return { ...extension, signsCertificates: ((bits.content[1] ?? 0) & keyCertSign) !== 0 };
}

function withPurposes(extension: Bare, content: Uint8Array): CertificateExtension | null {
  const purposes = readOnly(content, tag.sequence)?.map(readObjectIdentifier) ?? null;
  return purposes === null || purposes.includes(null) ? null : { ...extension, purposes: purposes as string[] };
}
