import { oneOf, seconds, words } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Revocation” of the configuration. */
export const revocation = {
  revocationOnError: setting({
    name: 'TGEFD_REVOCATION_ON_ERROR',
    kind: oneOf('closed', 'open'),
    fallback: 'closed',
    meaning: 'Whether a credential passes while its revocation cannot be checked.',
  }),
  revocationMaximumDelaySeconds: setting({
    name: 'TGEFD_REVOCATION_MAX_DELAY_SEC',
    kind: seconds(0.1, 300),
    fallback: 5,
    meaning: 'Maximum time until a revocation takes effect everywhere, in leased mode.',
  }),
  revokedTokenIds: setting({
    name: 'TGEFD_REVOKED_JTIS',
    kind: words('token ids separated by commas', /^\S{1,256}$/),
    fallback: [],
    meaning: 'Token ids that are refused from deployment on, without Redis.',
  }),
  revokedKeyIds: setting({
    name: 'TGEFD_REVOKED_KIDS',
    kind: words('key ids separated by commas', /^\S{1,256}$/),
    fallback: [],
    meaning: 'Key ids that are refused from deployment on.',
  }),
  revokedSubjects: setting({
    name: 'TGEFD_REVOKED_SUBS',
    kind: words('`subject@epoch` entries separated by commas', /^\S{1,256}@\d{1,12}$/),
    fallback: [],
    meaning:
      'Subjects with an epoch second. Tokens of the subject that were issued before it, or have no `iat`, are refused.',
  }),
} as const;
