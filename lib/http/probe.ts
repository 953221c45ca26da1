import { createCheckApiKey } from '../authenticate/api-key.ts';
import type { CertificateReader } from '../authenticate/certificate/client-certificate.ts';
import type { Clock } from '../decision/ports.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest, Boundary } from '../decision/request.ts';
import type { Examine } from '../request/boundary.ts';

/** Scheme of the `Authorization` field by which `doctor ingress` names itself. */
export const DOCTOR_SCHEME = 'TGEFD-Doctor';
/** Paths below it are let through a forward-auth door, with an identity of their own, so that a service can echo them. No
 * service has such a path. */
export const ECHO_PATH = '/tgefd-doctor-echo';
export const DOCTOR_IDENTITY = 'tgefd-doctor';

/** What arrived here of one request, and what we would have believed of it. */
export interface ProbeReport {
  readonly probe: 1;
  readonly door: string;
  readonly trusted_hop: boolean;
  readonly client: string | null;
  readonly secure: boolean | null;
  readonly host: string | null;
  readonly request_id: string;
  readonly identity: string | null;
  /** `none`, `refused`, or the subject of a certificate that would count. */
  readonly certificate: string;
  readonly scopes: string | null;
  readonly roles: string | null;
  /** Headers that the configuration names, with what is believed of each. */
  readonly configured?: Readonly<Record<string, string | null>>;
  /** Method and target that would be decided about, or null where the question was refused. */
  readonly asked: readonly [string, string] | null;
  readonly refused: string | null;
}

export interface ProbeParts {
  /** The one-time secret, and the previous one. */
  readonly secrets: readonly string[];
  readonly examine: Examine;
  readonly readCertificate: CertificateReader;
  /** Headers that the configuration names, for an ingress to set. */
  readonly configured?: readonly string[];
  readonly clock: Clock;
}

/** Answers the doctor; null for everybody else. `asked` is what a proxy asks about, where one does. */
export type Probe = (
  access: AccessRequest,
  asked: { readonly method: string; readonly target: string } | Reason,
) => Promise<ProbeReport | null>;

function short(text: string | null): string | null {
  return text?.slice(0, 200) ?? null;
}

/**
 * The probe that `doctor ingress` talks to: tells what of a request arrived and what the trust boundary makes of it. Answers
 * only to the one-time secret, compared in constant time. Decides nothing and leaves no record.
 */
export function createProbe({ secrets, examine, readCertificate, configured = [], clock }: ProbeParts): Probe {
  const doctors = createCheckApiKey(secrets.map((secret) => ({ id: DOCTOR_IDENTITY, secret, slot: 'current' })));

  const certificateOf = async (boundary: Boundary, access: AccessRequest) => {
    const reading = await readCertificate(boundary, access.hop);
    if (reading.found !== 'certificate') return { certificate: reading.found, scopes: null, roles: null };
    return { certificate: reading.certificate.subject, scopes: reading.scopes, roles: reading.roles };
  };

  return async (access, asked) => {
    const authorization = access.headers.get('authorization') ?? '';
    if (!authorization.startsWith(`${DOCTOR_SCHEME} `)) return null;
    if ((await doctors(authorization.slice(DOCTOR_SCHEME.length + 1))) === null) return null;
    const { boundary, denial } = await examine(access, clock());
    const { certificate, scopes, roles } = await certificateOf(boundary, access);
    const refusal = 'reason' in asked ? asked : denial;
    return {
      probe: 1,
      door: access.door,
      trusted_hop: boundary.trustedHop,
      client: boundary.clientAddress,
      secure: boundary.secure,
      host: short(boundary.host),
      request_id: boundary.requestId,
      identity: short(boundary.ingressIdentity),
      certificate: short(certificate) ?? '',
      scopes: short(scopes),
      roles: short(roles),
      configured: Object.fromEntries(configured.map((name) => [name, short(boundary.believed.get(name))])),
      asked: 'reason' in asked ? null : [asked.method, asked.target.slice(0, 500)],
      refused: refusal && ('field' in refusal ? `${refusal.reason}: ${refusal.field}` : refusal.reason),
    };
  };
}

/** A report as text that a header field can carry too: ASCII alone. */
export function reportText(report: ProbeReport): string {
  return JSON.stringify(report).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
