import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AddressClass, EgressTarget } from '../../../../lib/config/egress.ts';
import { addressRefusal, createNodeEgress } from '../../../../lib/platform/node/egress.ts';
import { createNodeFetch } from '../../../../lib/platform/node/fetch.ts';

describe('addresses that a name may have', () => {
  test.each([
    ['93.184.216.34', 'public'],
    ['2606:2800:220:1::1', 'public'],
    ['64:ff9b::5db8:d822', 'public'],
    ['10.1.2.3', 'private'],
    ['fd12::1', 'private'],
    ['100.64.0.1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.169.254', 'as_written'],
  ] as const)('%s passes for a %s name', (address, allowed) => {
    expect(addressRefusal(address, allowed)).toBeNull();
  });

  test.each([
    ['10.1.2.3', 'public'],
    ['172.31.0.1', 'public'],
    ['192.168.0.1', 'public'],
    ['::ffff:10.0.0.1', 'public'],
    ['64:ff9b::a00:1', 'public'],
    ['fd12::1', 'public'],
    ['127.0.0.1', 'public'],
    ['127.0.0.1', 'private'],
    ['::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['169.254.169.254', 'public'],
    ['169.254.169.254', 'private'],
    ['::ffff:169.254.169.254', 'private'],
    ['64:ff9b::a9fe:a9fe', 'private'],
    ['fe80::1', 'private'],
    ['fd00:ec2::254', 'private'],
    ['100.100.100.200', 'private'],
    ['168.63.129.16', 'public'],
    ['0.0.0.0', 'public'],
    ['224.0.0.1', 'public'],
    ['10.0.0.1', 'loopback'],
  ] as const)('%s is refused for a %s name', (address, allowed) => {
    expect(addressRefusal(address, allowed)).not.toBeNull();
  });
});

describe('connections of a Node process', () => {
  const server = createServer((incoming, outgoing) => outgoing.end(`${incoming.method} ${incoming.url}`));
  let port = 0;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => void server.close());

  const target = (name: string, addresses: AddressClass): EgressTarget => ({
    host: `${name}:${port}`,
    name,
    port,
    variable: 'TGEFD_JWKS_URL',
    addresses,
  });
  const under = (targets: readonly EgressTarget[], answers: readonly string[]) => {
    const refusals: string[] = [];
    const egress = createNodeEgress(targets, ({ host, why }) => refusals.push(`${host} ${why}`), {
      resolver: (_name, _options, callback) =>
        callback(
          null,
          answers.map((address) => ({ address, family: 4 })),
        ),
    });
    return { refusals, fetch: createNodeFetch(egress) };
  };

  test('a named address is called as it is written, and its answer comes whole', async () => {
    const { fetch } = under([target('127.0.0.1', 'as_written')], []);
    const answer = await fetch(`http://127.0.0.1:${port}/jwks?x=1`, { method: 'POST', body: 'hello' });
    expect(await answer.text()).toBe('POST /jwks?x=1');
  });

  test('a place that is not named is refused below fetch, and counted', async () => {
    const { refusals, fetch } = under([target('127.0.0.2', 'as_written')], []);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('not in the configuration');
    await expect(fetch('http://169.254.169.254/latest/meta-data')).rejects.toThrow('not in the configuration');
    await expect(fetch(`http://127.0.0.2:1/`)).rejects.toThrow('not in the configuration');
    expect(refusals).toHaveLength(3);
  });

  test.each([
    ['loopback', ['127.0.0.1'], 'resolves to a loopback address'],
    ['the metadata service', ['169.254.169.254'], 'resolves to a link-local, metadata or reserved address'],
    ['a private network', ['10.0.0.5'], 'resolves to a private address'],
    ['a private network beside a public address', ['93.184.216.34', '10.0.0.5'], 'resolves to a private address'],
  ])('a public name that resolves to %s is refused in the look-up that connects', async (_, answers, why) => {
    const { refusals, fetch } = under([target('issuer.example', 'public')], answers);
    await expect(fetch(`http://issuer.example:${port}/`)).rejects.toThrow(why);
    expect(refusals).toEqual([`issuer.example ${why}`]);
  });

  test('localhost may be loopback', async () => {
    const { fetch } = under([target('localhost', 'loopback')], ['127.0.0.1']);
    expect(await (await fetch(`http://localhost:${port}/`)).text()).toBe('GET /');
  });
});
