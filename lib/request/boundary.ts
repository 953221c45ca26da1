import { sameAgain } from '../codec/once.ts';
import type { NewId } from '../decision/ports.ts';
import type { CredentialUsed } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest, Boundary, HeaderFields } from '../decision/request.ts';
import { type Address, type AddressRange, addressPartition, addressText, contains, parseAddress } from './addresses.ts';
import { ingressFields } from './field-names.ts';
import { ingressValue, NOTHING_FORWARDED, parseAuthority, readForwarded } from './forwarded.ts';
import { createIngressProofCheck, INGRESS_PROOF_FIELD } from './ingress-proof.ts';
import { createTracePlaces } from './trace-context.ts';

export interface BoundarySettings {
  /** Peers whose forwarded, identity and certificate fields count. */
  readonly trustedProxies: readonly AddressRange[];
  /** Secrets of the signed ingress proof, current first; none: no proof is accepted. */
  readonly ingressSecrets: readonly string[];
  /** Field in which a trusted ingress names the caller, in lower case, or null. */
  readonly identityHeader: string | null;
  /** Further configured fields that an ingress may set (certificate, scopes, roles): a proof covers them. */
  readonly ingressHeaders: readonly string[];
  /** Share of traces, 0 to 1, that are marked as sampled; of a trusted hop its own mark is kept. */
  readonly traceSampleRatio: number;
}

export interface Examined {
  readonly boundary: Boundary;
  readonly denial: Reason | null;
}

export type Examine = (request: AccessRequest, nowMs: number) => Examined | Promise<Examined>;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
const MAX_IDENTITY_LENGTH = 256;
/** Visible ASCII and inner spaces. A comma is refused: `a, b` may be one name or a field sent twice. */
const IDENTITY = /^[\x21-\x2b\x2d-\x7e](?:[\x20-\x2b\x2d-\x7e]*[\x21-\x2b\x2d-\x7e])?$/;

const NO_FIELDS: HeaderFields = { get: () => null, [Symbol.iterator]: () => [][Symbol.iterator]() };

/**
 * Takes the trust settings and the source of request ids; gives the examination of a request: which hop speaks, and
 * what may be believed of it. The answer is a promise only where an ingress proof has to be checked.
 *
 * A hop is trusted whose peer address the platform vouches for lies in a trusted range, or whose request carries a valid
 * proof; where the address suffices a proof is not looked at. Behind a trusted hop the forwarded fields tell client
 * address, scheme and host, its `x-request-id` is kept and its identity field names the caller; behind a proof only the
 * covered fields do. Of anybody else all of that is ignored.
 *
 * Denies: an invalid proof, an invalid `Host`, forwarded or identity fields of a trusted hop that say two things or
 * nothing that can be understood. A boundary comes with every denial, for the record.
 * Does not look at credentials, certificates, method or target, and removes nothing: `upstreamFields` does.
 */
export function createBoundary(
  settings: BoundarySettings,
  parts: { readonly newId: NewId; readonly used?: CredentialUsed },
): Examine {
  const { trustedProxies, identityHeader, ingressSecrets } = settings;
  const covered = ingressFields([...settings.ingressHeaders, ...(identityHeader === null ? [] : [identityHeader])]);
  const problemOfProof = createIngressProofCheck(ingressSecrets, covered, parts.used);
  const apart = separated(new Set([...settings.ingressHeaders, ...SUBJECT_FIELDS]));
  const placeInTrace = createTracePlaces(settings.traceSampleRatio);
  const readHost = sameAgain(parseAuthority);

  const draw = (
    request: AccessRequest,
    peer: Address | null,
    believed: HeaderFields | null,
    refusal: Reason | null,
  ) => {
    const { headers, hop } = request;
    const forwarded = believed === null ? NOTHING_FORWARDED : readForwarded(believed, trustedProxies);
    const client = forwarded.client ?? peer;
    const clientAddress = client === null ? null : addressText(client);
    const ownHost = headers.get('host');
    const host = ownHost === null ? null : readHost(ownHost);
    const identity = believed === null || identityHeader === null ? null : ingressValue(believed, identityHeader);
    const requestId = believed?.get('x-request-id') ?? '';
    const inboundTrace = headers.get('traceparent');
    const { traceparent, parentSpanId } = placeInTrace(
      inboundTrace,
      inboundTrace !== null && believed !== null && believed.get('traceparent') !== null,
    );

    const boundary: Boundary = {
      trustedHop: believed !== null,
      believed: believed ?? NO_FIELDS,
      clientAddress,
      addressPartition: client?.family === 6 ? addressPartition(client) : clientAddress,
      // A trusted hop that forwards for nobody is the caller itself.
      secure: forwarded.secure ?? (forwarded.client === null ? hop.secure : null),
      host: forwarded.host ?? host ?? null,
      requestId: REQUEST_ID.test(requestId) ? requestId : parts.newId(),
      traceparent,
      parentSpanId,
      ingressIdentity: identity !== null && isIdentity(identity) ? identity : null,
    };
    const invalidField = forwarded.invalid ?? (identity === boundary.ingressIdentity ? null : identityHeader);
    return { boundary, denial: refusal ?? refusalOf(host, invalidField) };
  };

  return (request, nowMs) => {
    const { peerAddress } = request.hop;
    const peer = peerAddress === null ? null : parseAddress(peerAddress);
    if (peer !== null && contains(trustedProxies, peer))
      return draw(request, peer, request.hop.joinsFields ? apart(request.headers) : request.headers, null);
    const proof = ingressSecrets.length === 0 ? null : request.headers.get(INGRESS_PROOF_FIELD);
    if (proof === null) return draw(request, peer, null, null);
    return problemOfProof(proof, request, nowMs).then((problem) =>
      problem === null
        ? draw(request, peer, onlyFields(request.headers, covered), null)
        : draw(request, peer, null, { reason: 'ingress_proof_invalid', problem }),
    );
  };
}

function refusalOf(host: string | null | undefined, invalidField: string | null): Reason | null {
  if (host === undefined) return { reason: 'host_invalid' };
  return invalidField === null ? null : { reason: 'forwarded_invalid', field: invalidField };
}

/** Fields with a distinguished name, besides configured ones. */
const SUBJECT_FIELDS = ['ssl-client-s-dn', 'ssl-client-subject-dn'];
/** A comma that no backslash protects and no space follows. */
const BARE_COMMA = /(?<!\\)((?:\\\\)*),(?! )/;

/**
 * Fields of a platform that joins repetitions by a bare comma, as everybody else joins them: `CN=a,O=b` may be one name or two
 * fields there, so it counts as two. A signed ingress proof settles it, since it covers the value.
 */
function separated(names: ReadonlySet<string>): (fields: HeaderFields) => HeaderFields {
  return (fields) => ({
    get(name) {
      const value = fields.get(name);
      return value !== null && names.has(name.toLowerCase()) ? value.replace(BARE_COMMA, '$1, ') : value;
    },
    [Symbol.iterator]: () => fields[Symbol.iterator](),
  });
}

function isIdentity(text: string): boolean {
  return text.length <= MAX_IDENTITY_LENGTH && IDENTITY.test(text);
}

function onlyFields(fields: HeaderFields, names: readonly string[]): HeaderFields {
  const kept = new Set(names);
  return {
    ...(fields.times ? { times: (name: string) => fields.times?.(name) ?? 0 } : {}),
    get: (name) => (kept.has(name.toLowerCase()) ? fields.get(name) : null),
    *[Symbol.iterator]() {
      for (const field of fields) if (kept.has(field[0].toLowerCase())) yield field;
    },
  };
}
