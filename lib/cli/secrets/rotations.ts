import type { CredentialKind } from '../../decision/principal.ts';
import { newKeyPair, randomSecret } from './new-secrets.ts';

/** How one secret is rotated: the table that the command and docs/guides/secrets.md are held to. */
export interface RotatedSecret {
  readonly variable: string;
  /** Makes the next value; null where somebody else makes it. */
  readonly make: ((id: string | null) => Promise<string>) | null;
  /** What is left to a human, in order. */
  readonly steps: readonly string[];
  /** What happens to what the old value made, while both count. */
  readonly overlap: string;
  /** From when nothing passes by the old value any more. */
  readonly bound: string;
  /** Under which kind uses are counted; null where they are not, since no caller's request carries it. */
  readonly counted: CredentialKind | null;
  /** Command that finds its uses among the records, or null. */
  readonly records: string | null;
}

const refreshed =
  'TGEFD_SECRETS_REFRESH_SEC after it was taken out of its store, 2 s after out of a file, or with the deployment';

function inTwo(variable: string): readonly string[] {
  return [
    `put the present value of ${variable} into ${variable}_PREVIOUS (first, where they are two files)`,
    `put the new value into ${variable}, and today's date into ${variable}_ROTATED_AT`,
  ];
}

export const rotatedSecrets: Readonly<Record<string, RotatedSecret>> = {
  'jwt-secret': {
    variable: 'TGEFD_JWT_SECRET',
    make: randomSecret,
    steps: [
      ...inTwo('TGEFD_JWT_SECRET'),
      'give the new value to whoever signs tokens',
      'rotate jwt-secret --check, until nobody uses the old one',
      'empty or remove TGEFD_JWT_SECRET_PREVIOUS',
    ],
    overlap: 'tokens signed with either pass; records name the old one as key id `secret-previous`',
    bound: refreshed,
    counted: 'jwt_secret',
    records: 'audit query --key-id secret-previous --outcome allowed --from 1h',
  },
  'api-key': {
    variable: 'TGEFD_API_KEY',
    make: async (id) => (id === null ? await randomSecret() : `${id}:${await randomSecret()}`),
    steps: [
      'put the entry of this holder, as it is now, into TGEFD_API_KEY_PREVIOUS',
      "put the new entry in its place in TGEFD_API_KEY, and today's date into TGEFD_API_KEY_ROTATED_AT",
      'give the new key to its holder',
      'rotate api-key --check, until nobody uses the old one',
      'empty or remove TGEFD_API_KEY_PREVIOUS',
    ],
    overlap: 'either key passes; an id in both values is one holder, with one name in records and budgets',
    bound: refreshed,
    counted: 'api_key',
    records: 'audit query --key-id ID --outcome allowed --from 1h',
  },
  'ingress-secret': {
    variable: 'TGEFD_INGRESS_SECRET',
    make: randomSecret,
    steps: [
      ...inTwo('TGEFD_INGRESS_SECRET'),
      'give the new value to every ingress that signs proofs',
      'rotate ingress-secret --check, until nobody uses the old one',
      'empty or remove TGEFD_INGRESS_SECRET_PREVIOUS',
    ],
    overlap: 'proofs by either count',
    bound: `${refreshed}; a proof that was read on the way lives 60 s at most besides`,
    counted: 'ingress_secret',
    records: null,
  },
  'assertion-key': {
    variable: 'TGEFD_ASSERTION_KEY',
    make: () => newKeyPair(),
    steps: [
      'put the new key into TGEFD_ASSERTION_KEY_PREVIOUS: it is published, and does not sign yet',
      'wait until verifiers have read the key set again: 60 s, or what they cache for',
      "swap the two values, and put today's date into TGEFD_ASSERTION_KEY_ROTATED_AT",
      'wait 60 s: the longest that an assertion by the old key lives',
      'empty or remove TGEFD_ASSERTION_KEY_PREVIOUS',
    ],
    overlap: 'one signs, both are published at /_authorizer/jwks.json',
    bound:
      '60 s after the swap by its own assertions; for a forger when verifiers read the key set without it, 60 s or what they cache for',
    counted: null,
    records: null,
  },
  'audit-signing-key': {
    variable: 'TGEFD_AUDIT_SIGNING_KEY',
    make: () => newKeyPair(),
    steps: [
      'put the new key into TGEFD_AUDIT_SIGNING_KEY_PREVIOUS: manifests by it verify, and it does not sign yet',
      'give auditors the key set that audit keys prints now',
      "once every archive has it (audit accesses), swap the two values, and put today's date into TGEFD_AUDIT_SIGNING_KEY_ROTATED_AT",
      'run audit verify over the archive: a chain goes on from one key to the other',
      'put the public half of the old key (audit keys prints it) into TGEFD_AUDIT_SIGNING_KEY_PREVIOUS, for as long as manifests that it signed are kept, and destroy the key itself',
    ],
    overlap: 'one signs, manifests by either verify; an archive goes on from those of the other',
    bound: 'with the next run of the archive it signs nothing; what it signed stays verifiable by its public half',
    counted: null,
    records: null,
  },
  'pseudonym-key': {
    variable: 'TGEFD_AUDIT_PSEUDONYM_KEY',
    make: randomSecret,
    steps: [
      'put the new value into TGEFD_AUDIT_PSEUDONYM_KEY_PREVIOUS: revocations are looked up under it, and it names nobody yet',
      "once every process has it (audit accesses), swap the two values, and put today's date into TGEFD_AUDIT_PSEUDONYM_KEY_ROTATED_AT",
      'keep TGEFD_AUDIT_PSEUDONYM_KEY_PREVIOUS until every revocation written under it has run out (revocations list)',
      'keep the old value, apart from everything else, for as long as its records are kept, or destroy it: then nobody can name them any more',
    ],
    overlap:
      'every caller has a new pseudonym, in records and in budgets (which begin full); revocations and audit query --identity find both',
    bound:
      'with the deployment it makes no pseudonym; whoever has it can still name callers in the records of its time',
    counted: null,
    records: null,
  },
  'redis-token': {
    variable: 'TGEFD_REDIS_TOKEN',
    make: null,
    steps: [
      'put the present token into TGEFD_REDIS_TOKEN_PREVIOUS',
      'make the new token at Upstash (Reset Credentials), which ends the old one there',
      "put the new token into TGEFD_REDIS_TOKEN, and today's date into TGEFD_REDIS_TOKEN_ROTATED_AT; until then decisions go on as TGEFD_RATE_LIMIT_ON_ERROR and TGEFD_REVOCATION_ON_ERROR say",
      'where the service lets two tokens live: put the new one first, then end the old one there; no decision notices',
      'rotate redis-token --check, then empty or remove TGEFD_REDIS_TOKEN_PREVIOUS',
    ],
    overlap: 'a token that Redis refuses is followed by the other; leases and the outbox go on',
    bound: 'at once where it is ended at the service; this side does not decide it',
    counted: 'redis_token',
    records: null,
  },
};
