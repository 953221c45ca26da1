import { integer, oneOf } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Proof of possession” of the configuration. */
export const dpop = {
  dpop: setting({
    name: 'TGEFD_DPOP',
    kind: oneOf('off', 'optional', 'required'),
    fallback: 'optional',
    meaning:
      'Proofs of possession (RFC 9449). `optional`: a token that is bound to a key (`cnf.jkt`) needs a proof. `required`: every token must be bound. `off`: bound tokens are refused.',
  }),
  dpopMaximumAgeSeconds: setting({
    name: 'TGEFD_DPOP_MAX_AGE_SEC',
    kind: integer(1, 3600, 'seconds'),
    fallback: 60,
    meaning: 'Maximum age of a proof. TGEFD_JWT_CLOCK_SKEW_SEC is added.',
  }),
  dpopNonce: setting({
    name: 'TGEFD_DPOP_NONCE',
    kind: oneOf('off', 'required'),
    fallback: 'off',
    meaning: 'Whether a proof must have a nonce of the authorizer. The first answer gives the nonce (RFC 9449 §9).',
  }),
} as const;
