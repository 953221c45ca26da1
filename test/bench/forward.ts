import { startNodeDoor } from '../support/node-door.ts';
import { type Place, startNodePeer } from './place.ts';
import { productEnvironment } from './product.ts';
import { startProxyPeers } from './proxies.ts';
import type { Aim, Plan, Row } from './rows.ts';
import { checkQuestion, serverRow } from './servers.ts';

/** The forward-auth check on Node against proxies that verify tokens themselves, as Debian has them, and bearer middleware. */
export async function forwardGroup({ issuer, keySetUrl, load, facts }: Place): Promise<Plan> {
  const [ours, bearer, expressJwt, fastifyJwt, hello, proxies] = await Promise.all([
    startNodeDoor(productEnvironment(issuer, keySetUrl, { TGEFD_TRUSTED_PROXIES: '127.0.0.1' })),
    startNodePeer('express-bearer.mjs', facts),
    startNodePeer('express-jwt.mjs', facts),
    startNodePeer('fastify-jwt.mjs', facts),
    startNodePeer('node-static.mjs', facts),
    startProxyPeers(issuer),
  ]);
  const row = 'our check on Node';
  const rows: Row[] = [
    serverRow(row, ours, checkQuestion, load),
    serverRow('express-oauth2-jwt-bearer', bearer, checkQuestion, load),
    serverRow('express-jwt + jwks-rsa', expressJwt, checkQuestion, load),
    serverRow('@fastify/jwt + get-jwks', fastifyJwt, checkQuestion, load),
    { ...serverRow('static node:http, as many fields', hello, checkQuestion, load), accepts: async () => [] },
  ];
  const skipped: string[] = [];
  for (const { name, started } of proxies) {
    if ('missing' in started) skipped.push(`${name}: ${started.missing}`);
    else rows.push(serverRow(name, started, checkQuestion, load));
  }
  const both = (of: string): Aim[] => [
    { row, of, kind: 'hot', atMost: null },
    { row, of, kind: 'cold', atMost: null },
  ];
  return {
    title: 'forward: the check on Node as nginx asks it, against what verifies tokens inside a proxy or a service',
    rows,
    aims: [
      { row, of: 'HAProxy jwt_verify', kind: 'hot', atMost: 0.6 },
      { row, of: 'HAProxy jwt_verify', kind: 'cold', atMost: 1.6 },
      ...both('Apache mod_auth_openidc'),
      ...both('nginx njs'),
      { row, of: 'static node:http, as many fields', kind: 'hot', atMost: null },
      ...both('express-oauth2-jwt-bearer'),
      ...both('express-jwt + jwks-rsa'),
      ...both('@fastify/jwt + get-jwks'),
    ],
    skipped,
    rounds: 11,
    operations: { hot: 2_500, cold: 500 },
  };
}
