import { isInternalHost, isTcp } from '../../egress.ts';
import { type Check, isLoopback } from '../check.ts';

/** Production shares its state; TCP is for processes that can speak it, plain TCP for hosts inside. */
export function checkRedis(check: Check): void {
  const { settings, production, problem, secure } = check;
  const { redisUrl, redisToken } = settings;
  secure('redisUrl', redisUrl, !production, '');
  if (redisUrl !== null && isTcp(redisUrl)) checkTcp(check, redisUrl);
  else checkNoTcp(check);
  const needsToken = redisUrl !== null && (production || !isTcp(redisUrl));
  if (needsToken && !redisToken) problem('redisToken', 'nothing', 'a token, since TGEFD_REDIS_URL is given');
  if (redisToken && !redisUrl) problem('redisUrl', 'nothing', 'a URL, since TGEFD_REDIS_TOKEN is given');
  if (production && !redisUrl && !redisToken)
    problem('redisUrl', 'nothing', 'a URL: limits, revocation and audit need shared storage in production');
}

function checkTcp({ settings, place, problem }: Check, url: URL): void {
  const found = `\`${url.protocol}\``;
  if (place.platform === 'worker')
    problem('redisUrl', found, 'the REST URL of the database (`https:`): a Worker does not speak to Redis over TCP');
  if (url.protocol === 'redis:' && !isLoopback(url) && !isInternalHost(url.hostname))
    problem('redisUrl', found, '`rediss:`, or `redis:` to a loopback or internal host');
  if (settings.redisCluster && settings.redisSentinels.length > 0)
    problem('redisSentinels', 'hosts', 'nothing beside TGEFD_REDIS_CLUSTER');
  if (settings.redisCluster && /[1-9]/.test(url.pathname))
    problem('redisUrl', 'the number of a database', 'none: a cluster has one database');
  if (settings.redisNodes.length > 0 && !settings.redisCluster && settings.redisSentinels.length === 0)
    problem('redisNodes', 'hosts', 'hosts only beside TGEFD_REDIS_CLUSTER or TGEFD_REDIS_SENTINELS');
}

/** What has a meaning over TCP only. */
function checkNoTcp({ settings, given, problem }: Check): void {
  for (const key of ['redisUsername', 'redisNodes', 'redisCluster', 'redisSentinels', 'redisSentinelName'] as const) {
    const value = settings[key];
    if (given.has(key) && value !== false)
      problem(key, 'a value', 'a value only with `rediss:` or `redis:` in TGEFD_REDIS_URL');
  }
}
