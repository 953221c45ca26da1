import { isTcp } from '../../../config/egress.ts';
import type { Secret } from '../../../config/variable.ts';
import type { Settings } from '../../../config/variables.ts';
import type { CredentialUsed } from '../../../decision/principal.ts';
import type { RedisClient } from '../../../redis/client.ts';
import type { NodeEgress } from '../egress.ts';
import { createTcpClient } from './client.ts';
import { DEFAULT_PORT, type Topology } from './connections.ts';
import type { Place } from './connector.ts';

/** Makes clients for Redis over TCP as configured, or null where the configuration means REST or has no Redis. */
export function redisOverTcp(
  settings: Settings,
  egress: NodeEgress,
): ((secret: () => Secret<string> | null, used: CredentialUsed) => RedisClient) | null {
  const { redisUrl: url, redisCluster: cluster, redisSentinels, redisSentinelName: name } = settings;
  if (url === null || !isTcp(url)) return null;
  const places = redisSentinels.map(placeOf);
  const topology: Topology = {
    url,
    cluster,
    nodes: settings.redisNodes.map(placeOf),
    sentinel: places.length === 0 ? null : { name, places },
  };
  return (secret, used) => createTcpClient(topology, settings.redisUsername, secret, { egress, used });
}

function placeOf(item: string): Place {
  const { hostname, port } = new URL(`redis://${item}`);
  return { host: hostname, port: Number(port || DEFAULT_PORT) };
}
