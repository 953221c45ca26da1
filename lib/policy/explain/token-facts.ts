import type { Settings } from '../../config/variables.ts';
import type { ProofCheck, Reason } from '../../decision/reason.ts';

/** What was found, what would have passed, and what decides about it. */
export interface DenialFacts {
  readonly found: string;
  readonly wanted: string;
  readonly set_by: string;
}

type ReasonOf<R extends Reason['reason']> = Extract<Reason, { reason: R }>;

const facts = (found: string, wanted: string, set_by: string): DenialFacts => ({ found, wanted, set_by });

/** What each check of a proof wants (RFC 9449 §4.3). */
const WANTED: Readonly<Record<ProofCheck, string>> = {
  missing: 'a proof in the field DPoP',
  duplicated: 'exactly one field DPoP',
  shape: 'a JWS in compact form of at most 8192 characters',
  typ: 'typ dpop+jwt',
  alg: 'an asymmetric algorithm',
  crit: 'no crit and no b64',
  jwk: 'a public key in jwk that fits alg',
  jti: 'a jti of 1 to 1024 characters',
  htm: 'the method of the request in htm',
  htu: 'the URI of the request in htu, by trusted scheme and host',
  ath: 'the SHA-256 of the token in ath',
  iat: 'an iat that is fresh',
  exp: 'an exp that has not passed',
  nbf: 'an nbf that has come',
  signature: 'a signature by the key in jwk',
};

/** Facts about a refused proof of possession. */
export function proofFacts(
  denial: ReasonOf<
    'proof_invalid' | 'proof_nonce_needed' | 'proof_key_mismatch' | 'proof_replayed' | 'token_binding_refused'
  >,
  settings: Settings,
): DenialFacts {
  switch (denial.reason) {
    case 'proof_invalid': {
      const setBy = denial.check === 'iat' ? 'TGEFD_DPOP_MAX_AGE_SEC and TGEFD_JWT_CLOCK_SKEW_SEC' : 'RFC 9449 §4.3';
      const found = denial.check === 'missing' ? 'no proof' : `another ${denial.check}, or none`;
      return facts(found, WANTED[denial.check], denial.check === 'htu' ? 'TGEFD_TRUSTED_PROXIES' : setBy);
    }
    case 'proof_nonce_needed':
      return facts('no nonce of ours that is fresh', 'the nonce of the answer', 'TGEFD_DPOP_NONCE');
    case 'proof_key_mismatch':
      return facts('a proof by another key', 'the key of cnf.jkt', 'the issuer');
    case 'proof_replayed':
      return facts('a proof that was used before', 'a new proof for each request', 'RFC 9449 §11.1');
    case 'token_binding_refused':
      if (denial.sent === 'dpop') return facts('DPoP with a token that is bound to no key', 'Bearer', 'the issuer');
      if (settings.dpop === 'required')
        return facts('a token sent as Bearer', 'a token bound to a key, sent as DPoP', 'TGEFD_DPOP');
      return facts('a token bound to a key, sent as Bearer', 'the scheme DPoP and a proof', 'cnf.jkt of the token');
  }
}

/** Facts about a message of MCP that was refused. */
export function messageFacts(
  denial: ReasonOf<'mcp_field_invalid' | 'mcp_body_invalid' | 'mcp_mismatch'>,
  setBy: string,
): DenialFacts {
  switch (denial.reason) {
    case 'mcp_mismatch':
      return facts(`another ${denial.field} than the body has`, 'the same in field and body', setBy);
    case 'mcp_body_invalid':
      return facts(`a body refused for its ${denial.problem}`, 'one JSON-RPC message in UTF-8, no member twice', setBy);
    case 'mcp_field_invalid': {
      const { field, problem, supported } = denial;
      const wanted = supported ? supported.join(' or ') : `one ${field} in visible ASCII, or encoded`;
      const found = `${field} ${problem.replace('_', ' ')}`;
      return facts(found, wanted, supported && problem === 'unsupported' ? 'TGEFD_MCP_LEGACY' : setBy);
    }
  }
}

/** What each check of a client certificate finds, and what it wants. */
const CERTIFICATES = {
  certificate_malformed: ['a certificate that cannot be read', 'one certificate in the form of its field'],
  certificate_unverified: ['a certificate that was not verified', 'a chain that ends at a trusted authority'],
  certificate_expired: ['a certificate outside its validity', 'a certificate that is valid now'],
  certificate_unnamed: ['a certificate that names nobody', 'an alternative name or a common name'],
} as const;

/** Facts about a refused client certificate; behind a trusted hop, that hop has read or verified it. */
export function certificateFacts(reason: keyof typeof CERTIFICATES, byTrustedHop: boolean): DenialFacts {
  const [found, wanted] = CERTIFICATES[reason];
  const verifies = reason === 'certificate_malformed' || reason === 'certificate_unverified';
  return facts(found, wanted, verifies && byTrustedHop ? 'the trusted proxy' : 'the certificate and its authorities');
}
