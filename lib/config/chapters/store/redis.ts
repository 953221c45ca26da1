import { accepting, integer, text, url } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Redis” of the configuration. */
export const redis = {
  redisUrl: setting({
    name: 'TGEFD_REDIS_URL',
    aliases: ['UPSTASH_REDIS_REST_URL'],
    kind: accepting(
      url,
      'the REST URL of the database, such as `https://name.upstash.io`: no `rediss:` URL, and no user name or password in it (the token of the REST URL goes into `TGEFD_REDIS_TOKEN`)',
    ),
    fallback: null,
    meaning:
      'Upstash REST endpoint for limits, revocation and the audit outbox. Not given: in memory, in development only.',
  }),
  redisToken: secret({
    name: 'TGEFD_REDIS_TOKEN',
    aliases: ['UPSTASH_REDIS_REST_TOKEN'],
    kind: text('a token'),
    meaning: 'Token of the REST endpoint.',
  }),
  redisTimeoutMs: setting({
    name: 'TGEFD_REDIS_TIMEOUT_MS',
    kind: integer(5, 10_000, 'milliseconds'),
    fallback: 150,
    meaning: 'Hard deadline of one decision’s trip.',
  }),
} as const;
