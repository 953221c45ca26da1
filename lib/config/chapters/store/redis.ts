import { boolean, integer, text } from '../../kinds.ts';
import { places, redisUrl } from '../../place-kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Redis” of the configuration. */
export const redis = {
  redisUrl: setting({
    name: 'TGEFD_REDIS_URL',
    aliases: ['UPSTASH_REDIS_REST_URL'],
    kind: redisUrl,
    fallback: null,
    meaning:
      'Redis for limits, revocation and the audit outbox: an Upstash REST endpoint. On Node and Lambda also `rediss://` for Redis or Valkey over TCP (`redis://` to loopback and internal hosts), with a database number as path. Not given: in memory, in development only.',
  }),
  redisUsername: setting({
    name: 'TGEFD_REDIS_USERNAME',
    kind: text('a user name'),
    fallback: null,
    meaning: 'User of Redis over TCP. Not given: the default user.',
  }),
  redisToken: secret({
    name: 'TGEFD_REDIS_TOKEN',
    aliases: ['UPSTASH_REDIS_REST_TOKEN'],
    kind: text('a token'),
    meaning: 'Token of the REST endpoint, or password of Redis over TCP.',
  }),
  redisNodes: setting({
    name: 'TGEFD_REDIS_NODES',
    kind: places(6379),
    fallback: [],
    meaning:
      'Further nodes of a cluster, or servers that a Sentinel may name. The process connects to no other server.',
  }),
  redisCluster: setting({
    name: 'TGEFD_REDIS_CLUSTER',
    kind: boolean,
    fallback: false,
    meaning:
      'Whether TGEFD_REDIS_URL is a node of a Redis Cluster. If so, all keys begin with `{tgefd}:v1` and are in one slot.',
  }),
  redisSentinels: setting({
    name: 'TGEFD_REDIS_SENTINELS',
    kind: places(26_379),
    fallback: [],
    meaning: 'Sentinels that say which of TGEFD_REDIS_URL and TGEFD_REDIS_NODES is the primary.',
  }),
  redisSentinelName: setting({
    name: 'TGEFD_REDIS_SENTINEL_NAME',
    kind: text('a name'),
    fallback: 'mymaster',
    meaning: 'Name of the primary at the Sentinels.',
  }),
  redisTimeoutMs: setting({
    name: 'TGEFD_REDIS_TIMEOUT_MS',
    kind: integer(5, 10_000, 'milliseconds'),
    fallback: 150,
    meaning: 'Hard deadline of one decision’s request to Redis.',
  }),
} as const;
