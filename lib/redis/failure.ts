/**
 * What went wrong between us and Redis, as the log may know it: never the text of an error, which can hold the whole
 * command. `script_unknown` is no outage: the server asks for the text of a script.
 */
export type RedisFailureKind = RedisOutage | 'script_unknown';

/** Causes of an outage, each with its repair in the guide for operators. */
export const redisOutages = [
  'deadline',
  'unreachable',
  'token_refused',
  'no_permission',
  'quota_exceeded',
  'out_of_memory',
  'read_only',
  'http_status',
  'malformed',
] as const;

export type RedisOutage = (typeof redisOutages)[number];

/** Each cause as a sentence for an operator, with what to look at. */
const sentences: Readonly<Record<RedisOutage, string>> = {
  deadline: 'Redis did not answer in time: use a nearer region, or a longer TGEFD_REDIS_TIMEOUT_MS',
  unreachable: 'Redis cannot be reached: check host and port of TGEFD_REDIS_URL, its TLS, and the network',
  token_refused: 'Redis refuses the token or password: check TGEFD_REDIS_TOKEN and TGEFD_REDIS_USERNAME',
  no_permission: 'Redis forbids this user a command or key: check its rights, and that the token is not read-only',
  quota_exceeded: 'the plan of the Redis database is used up: take a larger one, or wait for its next period',
  out_of_memory: 'Redis is out of memory: give it more, or run the archive, which empties the outbox',
  read_only: 'Redis takes no writes here: TGEFD_REDIS_URL must name the primary',
  http_status: 'something else than Redis answered: check TGEFD_REDIS_URL',
  malformed: 'the answer of Redis makes no sense: check TGEFD_REDIS_URL and the version of the server',
};

/** What an outage means for an operator, its cause behind it in the words of log and metric. */
export function outageSentence(kind: RedisFailureKind): string {
  const why = kind === 'script_unknown' ? 'malformed' : kind;
  return `${sentences[why]} (${why})`;
}

export class RedisFailure extends Error {
  readonly kind: RedisFailureKind;

  constructor(kind: RedisFailureKind) {
    // @upstash/ratelimit looks for this word to send the text of its script.
    super(kind === 'script_unknown' ? 'NOSCRIPT' : kind);
    this.name = 'RedisFailure';
    this.kind = kind;
  }
}

/** First words of error replies (Redis) and whole sentences (Upstash), and what they mean. */
const meanings: readonly (readonly [RegExp, RedisFailureKind])[] = [
  [/^NOSCRIPT\b/, 'script_unknown'],
  [/^(WRONGPASS|NOAUTH)\b|unauthorized/i, 'token_refused'],
  [/^NOPERM\b/, 'no_permission'],
  [/^OOM\b/, 'out_of_memory'],
  [/^(READONLY|NOREPLICAS)\b/, 'read_only'],
  [/max (daily |monthly )?requests? (limit|size)|limit exceeded|rate limit/i, 'quota_exceeded'],
  [
    /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|MOVED|ASK|UNBLOCKED|MAXCLIENTS)\b|max number of clients/i,
    'unreachable',
  ],
];

/** What an error reply of Redis means. A reply that fits nothing here counts as `malformed`: no command of ours earns it. */
export function failureOfReply(error: string): RedisFailure {
  // Before version 7 the reply of the command inside a script stood behind words of the script.
  const inner = error.startsWith('ERR Error running script') ? error.replace(/^.*: -?(?=[A-Z]{2,} )/s, '') : error;
  return new RedisFailure(meanings.find(([pattern]) => pattern.test(inner))?.[1] ?? 'malformed');
}
