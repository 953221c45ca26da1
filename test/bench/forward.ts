import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePackage, pathOf } from '../support/debian.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startProxy } from '../support/proxy.ts';
import { type Place, startNodePeer } from './place.ts';
import { productEnvironment } from './product.ts';
import type { Plan, Row } from './rows.ts';
import { checkQuestion, plainQuestion, serverRow } from './servers.ts';

const haproxyName = 'HAProxy jwt_verify';

/** The forward-auth check on Node against proxies that verify tokens themselves, as Debian has them. */
export async function forwardGroup({ issuer, keySetUrl, load, facts }: Place): Promise<Plan> {
  const skipped: string[] = [];
  const [ours, express, hello, haproxy] = await Promise.all([
    startNodeDoor(productEnvironment(issuer, keySetUrl, { TGEFD_TRUSTED_PROXIES: '127.0.0.1' })),
    startNodePeer('express-bearer.mjs', facts),
    startNodePeer('node-static.mjs', facts),
    ensurePackage('haproxy', ['haproxy']),
  ]);
  const row = 'our check on Node';
  const rows: Row[] = [
    serverRow(row, ours, checkQuestion, load),
    serverRow('express-oauth2-jwt-bearer', express, plainQuestion, load),
    { ...serverRow('static node:http, as many fields', hello, checkQuestion, load), accepts: async () => [] },
  ];
  if ('missing' in haproxy) skipped.push(`${haproxyName}: ${haproxy.missing}`);
  else {
    const template = await readFile(join(import.meta.dirname, 'peers/haproxy.cfg'), 'utf8');
    const proxy = await startProxy(
      {
        config: (port, folder) =>
          template
            .replace('PORT', `${port}`)
            .replace('KEY', join(folder, 'key.pem'))
            .replace('ISSUER', issuer.issuer)
            .replace('AUDIENCE', issuer.audience),
        files: { 'key.pem': issuer.publicPem },
      },
      'haproxy.cfg',
      (folder) => ({ command: pathOf(haproxy), args: ['-db', '-f', join(folder, 'haproxy.cfg')], env: {} }),
    );
    rows.push(serverRow(haproxyName, proxy, plainQuestion, load));
  }
  return {
    title: 'forward: the check on Node as nginx asks it, against what verifies tokens inside a proxy or a service',
    rows,
    aims: [
      { row, of: haproxyName, kind: 'hot', atMost: 0.75 },
      { row, of: haproxyName, kind: 'cold', atMost: 1.7 },
      { row, of: 'static node:http, as many fields', kind: 'hot', atMost: null },
      { row, of: 'express-oauth2-jwt-bearer', kind: 'hot', atMost: null },
      { row, of: 'express-oauth2-jwt-bearer', kind: 'cold', atMost: null },
    ],
    skipped,
    rounds: 11,
    operations: { hot: 2_500, cold: 500 },
  };
}
