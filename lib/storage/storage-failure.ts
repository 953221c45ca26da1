/** Why an object store did not do what it was asked. Closed: each has its repair in docs/guides/operate.md. */
export type StorageCause =
  | 'no_bucket'
  | 'no_credentials'
  | 'key_refused'
  | 'no_permission'
  | 'wrong_region'
  | 'clock'
  | 'busy'
  | 'deadline'
  | 'unreachable'
  | 'certificate'
  | 'http_status';

const sentences: Readonly<Record<StorageCause, string>> = {
  no_bucket: 'the bucket does not exist (TGEFD_AUDIT_BUCKET, TGEFD_AUDIT_S3_ENDPOINT)',
  no_credentials: 'no credentials were found (a role of the platform, or TGEFD_AUDIT_S3_ACCESS_KEY_ID)',
  key_refused: 'the access key is refused (TGEFD_AUDIT_S3_ACCESS_KEY_ID, TGEFD_AUDIT_S3_SECRET_ACCESS_KEY)',
  no_permission: 'the credentials may not do this',
  wrong_region: 'the bucket is in another region (TGEFD_AUDIT_S3_REGION)',
  clock: 'the clock of this machine is wrong',
  busy: 'the store asks for fewer requests',
  deadline: 'no answer came in time',
  unreachable: 'the store cannot be reached (TGEFD_AUDIT_S3_ENDPOINT)',
  certificate: 'the certificate of the store is not trusted, or is for another name',
  http_status: 'the store answered with an error',
};

/** Names of errors, of the S3 API or of the SDK, and what they mean. */
const meanings: readonly (readonly [RegExp, StorageCause])[] = [
  [/^(NoSuchBucket|NotFoundBucket)$/, 'no_bucket'],
  [/^(CredentialsProviderError|TokenProviderError)$|Could not load credentials/, 'no_credentials'],
  [
    /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|TokenRefreshRequired|Unauthorized)$/,
    'key_refused',
  ],
  [/^(AccessDenied|AllAccessDisabled|AccountProblem|Forbidden)$/, 'no_permission'],
  [/^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|301)$/, 'wrong_region'],
  [/^RequestTimeTooSkewed$/, 'clock'],
  [/^(SlowDown|ServiceUnavailable|TooManyRequests|Throttling.*|RequestLimitExceeded)$/, 'busy'],
  [/^(TimeoutError|RequestTimeout|ETIMEDOUT|AbortError)$/, 'deadline'],
  [/^(ECONN\w+|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|NetworkingError)$/, 'unreachable'],
  [/^(CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|ERR_TLS_\w+|HOSTNAME_MISMATCH)$/, 'certificate'],
];

/** The names under which an error and its causes are known, its own first. */
export function namesOfError(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== 'object' || error === null || depth > 4) return [];
  const { name, code, Code, cause, errors } = error as Record<string, unknown>;
  const own = [Code, code, name].flatMap((each) => (typeof each === 'string' ? [each] : []));
  const [first] = Array.isArray(errors) ? errors : [];
  return [...own, ...namesOfError(cause, depth + 1), ...namesOfError(first, depth + 1)];
}

/** HTTP status of an SDK error, or null where none was received. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

/** What an error of a store means. */
export function storageCause(error: unknown): StorageCause {
  if (error instanceof StorageFailure) return error.why;
  for (const name of namesOfError(error)) for (const [pattern, cause] of meanings) if (pattern.test(name)) return cause;
  const status = statusOf(error);
  if (status === 401) return 'key_refused';
  if (status === 403) return 'no_permission';
  if (status === 429 || status === 503) return 'busy';
  return 'http_status';
}

/** An operation on a store that failed. Its message is one sentence without anything of the request but its key. */
export class StorageFailure extends Error {
  override readonly name = 'StorageFailure';
  readonly why: StorageCause;

  constructor(operation: string, key: string, error: unknown) {
    const why = storageCause(error);
    const [known] = namesOfError(error);
    const told = [known ?? 'no name', statusOf(error) ?? 'no answer'].join(', ');
    super(`${operation} ${key}: ${sentences[why]} (${told})`);
    this.why = why;
  }
}
