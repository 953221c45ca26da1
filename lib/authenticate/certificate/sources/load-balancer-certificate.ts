import type { ClientCertificate } from '../../../decision/principal.ts';
import {
  type CertificateSource,
  fieldOf,
  fromEncodedPem,
  isRepeated,
  malformed,
  named,
  nothing,
  type ReadText,
  repeated,
  type Statement,
  statement,
} from '../certificate-headers.ts';
import { canonicalName } from '../distinguished-name.ts';

/**
 * The fields of an AWS load balancer that has verified the client's certificate. `x-amzn-mtls-clientcert`, which it sends
 * when it passes certificates through unverified, is never read.
 */
export const loadBalancerFields = {
  leaf: 'x-amzn-mtls-clientcert-leaf',
  subject: 'x-amzn-mtls-clientcert-subject',
  issuer: 'x-amzn-mtls-clientcert-issuer',
  serial: 'x-amzn-mtls-clientcert-serial-number',
  validity: 'x-amzn-mtls-clientcert-validity',
} as const;

/**
 * AWS load balancer in verify mode: the certificate itself, with its subject, issuer, serial number and validity beside it.
 * Fields that do not speak of one certificate contradict each other. Without the certificate, its subject has to do.
 */
export function loadBalancerSource(readText: ReadText): CertificateSource {
  return (believed) => {
    const { leaf, subject, issuer, serial, validity } = loadBalancerFields;
    const told = {
      leaf: fieldOf(believed, leaf),
      subject: fieldOf(believed, subject),
      issuer: fieldOf(believed, issuer),
      serial: fieldOf(believed, serial),
      validity: fieldOf(believed, validity),
    };
    for (const field of [leaf, serial, validity]) if (fieldOf(believed, field)?.includes(',')) return repeated(field);
    for (const field of [subject, issuer]) {
      const name = fieldOf(believed, field);
      if (name !== null && isRepeated(believed, field, name)) return repeated(field);
    }
    const dates = told.validity === null ? null : readValidity(told.validity);
    if (told.validity !== null && dates === null) return malformed;
    if (told.leaf === null) {
      if (told.subject === null) return [told.issuer, told.serial, told.validity].some(Boolean) ? malformed : nothing;
      const said = named(subject, told.subject, told.issuer ?? '');
      return said.says === 'certificate' ? { ...said, certificate: { ...said.certificate, ...dates } } : said;
    }
    const settle = (said: Statement): Statement => {
      if (said.says !== 'certificate') return said;
      const contradiction = contradicting(said.certificate, told, dates);
      return contradiction === null ? said : repeated(contradiction);
    };
    const read = statement(leaf, readText(told.leaf, fromEncodedPem));
    return read instanceof Promise ? read.then(settle) : settle(read);
  };
}

type Told = Readonly<Record<keyof typeof loadBalancerFields, string | null>>;
type Dates = Pick<ClientCertificate, 'notBeforeSeconds' | 'notAfterSeconds'>;

/** The first field that says something else than the certificate itself. */
function contradicting(certificate: ClientCertificate, told: Told, dates: Dates | null): string | null {
  const { subject, issuer, serial, validity } = loadBalancerFields;
  if (told.subject !== null && canonicalName(told.subject) !== canonicalName(certificate.subject)) return subject;
  if (told.issuer !== null && canonicalName(told.issuer) !== canonicalName(certificate.issuer ?? '')) return issuer;
  if (told.serial !== null && plainSerial(told.serial) !== plainSerial(certificate.serialNumber ?? '')) return serial;
  const differs =
    dates !== null &&
    (dates.notBeforeSeconds !== certificate.notBeforeSeconds || dates.notAfterSeconds !== certificate.notAfterSeconds);
  return differs ? validity : null;
}

/** Hexadecimal digits in one spelling: upper case, without colons and leading zeros. */
function plainSerial(text: string): string {
  return text.replaceAll(':', '').toUpperCase().replace(/^0+/, '');
}

/** `NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z` in epoch seconds, or null. */
function readValidity(text: string): Dates | null {
  const [, from = '', to = ''] = /^NotBefore=([^;]+); ?NotAfter=([^;]+)$/i.exec(text) ?? [];
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
  if (!instant.test(from) || !instant.test(to)) return null;
  const [notBefore, notAfter] = [Date.parse(from), Date.parse(to)];
  return Number.isNaN(notBefore + notAfter)
    ? null
    : { notBeforeSeconds: Math.floor(notBefore / 1000), notAfterSeconds: Math.floor(notAfter / 1000) };
}
