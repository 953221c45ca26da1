import { describe, expect, it } from 'vitest';
import { keySetAt, keySetByDiscovery, keySetInFile } from '../../../../lib/authenticate/jwks/key-source.ts';
import { sleep } from '../../../../lib/codec/sleep.ts';
import { EgressRefused } from '../../../../lib/decision/egress-refused.ts';

interface Asked {
  readonly url: string;
  readonly authorization: string | null;
}

function world(pages: Readonly<Record<string, () => Response>>) {
  const asked: Asked[] = [];
  let nowMs = 1_800_000_000_000;
  const fetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    asked.push({ url, authorization: new Headers(init.headers).get('authorization') });
    return pages[url]?.() ?? new Response('gone', { status: 404 });
  };
  return {
    asked,
    parts: { fetch, sleep, clock: () => nowMs },
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}
const text =
  (body: string, status = 200) =>
  () =>
    new Response(body, { status });
const issuer = 'https://id.example';
const metadata = (keys: string, named = issuer) => text(JSON.stringify({ issuer: named, jwks_uri: keys }));
const rules = { issuer, keySetHosts: [] };
const WELL_KNOWN = `${issuer}/.well-known/openid-configuration`;
const RFC8414 = `${issuer}/.well-known/oauth-authorization-server`;
const KEYS = `${issuer}/keys`;

describe('keys found by discovery', () => {
  it('asks for the metadata once an hour, and for the keys each time', async () => {
    const { asked, parts, pass } = world({ [WELL_KNOWN]: metadata(KEYS), [KEYS]: text('{}') });
    const source = keySetByDiscovery(rules, parts, null);
    for (const wait of [0, 300_000, 3_600_001]) {
      pass(wait);
      expect(await source.read(1000)).toEqual({ text: '{}' });
    }
    expect(asked.map(({ url }) => url)).toEqual([WELL_KNOWN, KEYS, KEYS, WELL_KNOWN, KEYS]);
  });

  it('asks at the second place where the first has none, and not where it fails', async () => {
    const second = world({ [RFC8414]: metadata(KEYS), [KEYS]: text('{}') });
    expect(await keySetByDiscovery(rules, second.parts, null).read(1000)).toEqual({ text: '{}' });
    const down = world({ [WELL_KNOWN]: text('down', 503), [RFC8414]: metadata(KEYS) });
    expect(await keySetByDiscovery(rules, down.parts, null).read(1000)).toMatchObject({
      problem: 'status',
      status: 503,
    });
    expect(down.asked).toHaveLength(1);
  });

  it.each<[name: string, page: () => Response, problem: string]>([
    ['another issuer', metadata(KEYS, 'https://evil.example'), 'discovery_issuer_differs'],
    ['a host elsewhere', metadata('https://evil.example/keys'), 'discovery_host_refused'],
    ['a web page', text('<html>'), 'discovery_not_json'],
  ])('asks nobody for keys when the metadata names %s', async (_, page, problem) => {
    const { asked, parts } = world({ [WELL_KNOWN]: page });
    expect(await keySetByDiscovery(rules, parts, null).read(1000)).toMatchObject({ problem });
    expect(asked.map(({ url }) => url)).toEqual([WELL_KNOWN]);
  });

  it('reads the metadata again after keys could not be read', async () => {
    let keys = 'https://id.example/old';
    const { parts } = world({ [WELL_KNOWN]: () => metadata(keys)(), [KEYS]: text('{}') });
    const source = keySetByDiscovery(rules, parts, null);
    expect(await source.read(1000)).toMatchObject({ problem: 'status' });
    keys = KEYS;
    expect(await source.read(1000)).toEqual({ text: '{}' });
  });
});

describe('a bearer token for the keys', () => {
  const token = async () => 'secret-token\n';

  it('goes with the first request for the metadata and with the keys', async () => {
    const found = world({ [WELL_KNOWN]: metadata(KEYS), [KEYS]: text('{}') });
    expect(await keySetByDiscovery(rules, found.parts, token).read(1000)).toEqual({ text: '{}' });
    const bearer = { authorization: 'Bearer secret-token' };
    expect(found.asked).toEqual([
      { url: WELL_KNOWN, ...bearer },
      { url: KEYS, ...bearer },
    ]);
  });

  it('goes with both places of the metadata, which are at the issuer’s host, and to no host that the metadata may not name', async () => {
    const second = world({ [RFC8414]: metadata('https://evil.example/keys') });
    expect(await keySetByDiscovery(rules, second.parts, token).read(1000)).toMatchObject({
      problem: 'discovery_host_refused',
    });
    expect(second.asked.map(({ url, authorization }) => [url, authorization])).toEqual([
      [WELL_KNOWN, 'Bearer secret-token'],
      [RFC8414, 'Bearer secret-token'],
    ]);
  });

  it('is read anew each time, and asks nobody when it cannot be read', async () => {
    const { asked, parts } = world({ [KEYS]: text('{}') });
    let current: string | null = 'one';
    const source = keySetAt(KEYS, parts, async () => {
      if (current === null) throw new Error('no file');
      return current;
    });
    await source.read(1000);
    current = 'two';
    await source.read(1000);
    current = null;
    expect(await source.read(1000)).toMatchObject({ problem: 'token_file_unreadable' });
    current = 'two\nx-evil: 1';
    expect(await source.read(1000)).toMatchObject({ problem: 'token_file_unreadable' });
    expect(asked.map(({ authorization }) => authorization)).toEqual(['Bearer one', 'Bearer two']);
  });
});

describe('causes of a failed fetch', () => {
  const failing = (error: unknown) => ({ fetch: () => Promise.reject(error), sleep });
  const coded = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });

  it.each<[error: unknown, problem: string]>([
    [coded('ECONNREFUSED'), 'connection_refused'],
    [coded('ENOTFOUND'), 'name_unknown'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate_untrusted'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate_name_differs'],
    [coded('ECONNRESET'), 'unreachable'],
    ['a text', 'unreachable'],
    [new EgressRefused('evil.example', 'x'), 'refused'],
  ])('%# is told apart', async (error, problem) => {
    expect(await keySetAt(KEYS, failing(error), null).read(1000)).toMatchObject({ problem });
  });
});

it('keys in a file are read each time', async () => {
  let content: string | null = '{}';
  const source = keySetInFile('/keys', async () => {
    if (content === null) throw new Error('no file');
    return content;
  });
  expect(await source.read(1000)).toEqual({ text: '{}' });
  content = null;
  expect(await source.read(1000)).toMatchObject({ problem: 'file_unreadable' });
  expect(source.copyName).toBeNull();
});
