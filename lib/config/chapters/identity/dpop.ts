import { integer, oneOf } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Proof of possession” of the configuration. */
export const dpop = {
  dpop: setting({
    name: 'TGEFD_DPOP',
    kind: oneOf('off', 'optional', 'required'),
    fallback: 'optional',
    meaning:
      'Proofs of possession (RFC 9449): with `optional`, a token that is bound to a key (`cnf.jkt`) needs one; with `required`, every token must be bound; with `off`, bound tokens are refused.',
  }),
  dpopMaximumAgeSeconds: setting({
    name: 'TGEFD_DPOP_MAX_AGE_SEC',
    kind: integer(1, 3600, 'seconds'),
    fallback: 60,
    meaning: 'Age that a proof may have, on top of TGEFD_JWT_CLOCK_SKEW_SEC.',
  }),
  dpopNonce: setting({
    name: 'TGEFD_DPOP_NONCE',
    kind: oneOf('off', 'required'),
    fallback: 'off',
    meaning: 'Whether a proof must hold a nonce of ours, which the first answer gives (RFC 9449 §9).',
  }),
} as const;
