import { type KeyAlgorithm, newKeyPair, randomSecret } from './new-secrets.ts';

/** How the first value of one secret comes into the world. Later values are made by `rotate`. */
export interface FirstSecret {
  readonly variable: string;
  /** What the product does with it. */
  readonly purpose: string;
  /** Makes the value; null where another service makes it. */
  readonly make: ((options: FirstOptions) => Promise<string>) | null;
  /** What to do with it next, or where it comes from. */
  readonly next: string;
}

export interface FirstOptions {
  readonly algorithm: KeyAlgorithm;
  /** Id of the holder of an API key. */
  readonly id: string;
}

/** Every secret of the product, by the name of its file. */
export const firstSecrets: Readonly<Record<string, FirstSecret>> = {
  'audit-pseudonym-key': {
    variable: 'TGEFD_AUDIT_PSEUDONYM_KEY',
    purpose: 'gives callers their pseudonyms in records and Redis keys',
    make: randomSecret,
    next: 'Keep a copy apart: without it nobody can look a caller up. All processes over one Redis need the same one.',
  },
  'audit-signing-key': {
    variable: 'TGEFD_AUDIT_SIGNING_KEY',
    purpose: 'signs the manifests of the archive; only the archive needs it',
    make: ({ algorithm }) => newKeyPair(algorithm),
    next: 'Give auditors its public half, which `audit keys` prints.',
  },
  'assertion-key': {
    variable: 'TGEFD_ASSERTION_KEY',
    purpose: 'signs the identity that the protected service verifies',
    make: ({ algorithm }) => newKeyPair(algorithm),
    next: 'The service verifies by /_authorizer/jwks.json. With TGEFD_ISSUER_URL make it with --algorithm ES256.',
  },
  'ingress-secret': {
    variable: 'TGEFD_INGRESS_SECRET',
    purpose: 'proves that a request came through your ingress',
    make: randomSecret,
    next: 'Give it to the ingress that signs proofs.',
  },
  'jwt-secret': {
    variable: 'TGEFD_JWT_SECRET',
    purpose: 'verifies HS256 tokens; development only',
    make: randomSecret,
    next: 'Give it to whoever signs tokens.',
  },
  'api-key': {
    variable: 'TGEFD_API_KEY',
    purpose: 'lets one holder in by x-api-key; development only',
    make: async ({ id }) => `${id}:${await randomSecret()}`,
    next: 'The holder sends what stands after the colon.',
  },
  'doctor-secret': {
    variable: 'TGEFD_DOCTOR_SECRET',
    purpose: 'lets `doctor` ask the deployment what it saw of a probe',
    make: randomSecret,
    next: 'Set it for the deployment and in the shell where doctor runs; remove it afterwards.',
  },
  'redis-token': {
    variable: 'TGEFD_REDIS_TOKEN',
    purpose: 'opens the Redis database',
    make: null,
    next: 'Upstash shows it as UPSTASH_REDIS_REST_TOKEN; infra/cloudflare/setup.ts reads it by Upstash’s API.',
  },
  's3-access-key-id': {
    variable: 'TGEFD_AUDIT_S3_ACCESS_KEY_ID',
    purpose: 'names the key of an object store without roles',
    make: null,
    next: 'The object store makes it. AWS, Google Cloud and R2 bindings need none.',
  },
  's3-secret-access-key': {
    variable: 'TGEFD_AUDIT_S3_SECRET_ACCESS_KEY',
    purpose: 'signs requests to an object store without roles',
    make: null,
    next: 'The object store makes it, together with the key id.',
  },
  'otel-headers': {
    variable: 'TGEFD_OTEL_HEADERS',
    purpose: 'authenticates exports of traces',
    make: null,
    next: 'The collector’s operator makes it.',
  },
  'vault-token': {
    variable: 'TGEFD_VAULT_TOKEN',
    purpose: 'opens Vault where TGEFD_VAULT_AUTH is `token`',
    make: null,
    next: 'Vault makes it. `kubernetes` and `jwt` need none.',
  },
};

/** What production needs before its first request, as far as it is made here. */
export const PRODUCTION: readonly string[] = ['audit-pseudonym-key', 'audit-signing-key', 'assertion-key'];
