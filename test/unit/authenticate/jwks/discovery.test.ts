import { describe, expect, it, test } from 'vitest';
import {
  discoveryUrls,
  issuerUrl,
  readDiscovery,
  transmitterUrls,
} from '../../../../lib/authenticate/jwks/discovery.ts';

describe('where the metadata of an issuer is', () => {
  it.each<[issuer: string, urls: readonly string[]]>([
    [
      'https://id.example',
      [
        'https://id.example/.well-known/openid-configuration',
        'https://id.example/.well-known/oauth-authorization-server',
      ],
    ],
    [
      'https://t.auth0.com/',
      [
        'https://t.auth0.com/.well-known/openid-configuration',
        'https://t.auth0.com/.well-known/oauth-authorization-server',
      ],
    ],
    [
      'https://id.example:8443/realms/a',
      [
        'https://id.example:8443/realms/a/.well-known/openid-configuration',
        'https://id.example:8443/.well-known/oauth-authorization-server/realms/a',
      ],
    ],
  ])('%s', (issuer, urls) => {
    expect(discoveryUrls(issuer)).toEqual(urls);
  });

  it.each([
    'spiffe://td',
    'urn:issuer',
    'accounts.google.com',
    'https://a.example/?x=1',
    'https://a.example/#x',
    'https://u:p@a.example',
    ' ',
  ])('%s has none', (issuer) => {
    expect(issuerUrl(issuer)).toBeNull();
    expect(discoveryUrls(issuer)).toEqual([]);
  });
});

describe('reading the metadata of an issuer', () => {
  const rules = { issuer: 'https://id.example', keySetHosts: ['keys.example'] };
  const metadata = (changes: object) =>
    JSON.stringify({ issuer: 'https://id.example', jwks_uri: 'https://id.example/keys', ...changes });

  it.each<[name: string, changes: object, url: string]>([
    ['its own host', {}, 'https://id.example/keys'],
    ['a listed host', { jwks_uri: 'https://keys.example/a' }, 'https://keys.example/a'],
  ])('takes keys from %s', (_, changes, url) => {
    expect(readDiscovery(metadata(changes), rules)).toEqual({ keySetUrl: url });
  });

  it.each<[name: string, text: string, problem: string]>([
    ['another issuer', metadata({ issuer: 'https://evil.example' }), 'discovery_issuer_differs'],
    ['a trailing slash more', metadata({ issuer: 'https://id.example/' }), 'discovery_issuer_differs'],
    ['an issuer in a list', metadata({ issuer: ['https://id.example'] }), 'discovery_issuer_differs'],
    ['no issuer', metadata({ issuer: undefined }), 'discovery_issuer_differs'],
    ['no keys', metadata({ jwks_uri: undefined }), 'discovery_without_keys'],
    ['keys at no URL', metadata({ jwks_uri: '/keys' }), 'discovery_without_keys'],
    ['keys over plain HTTP', metadata({ jwks_uri: 'http://id.example/keys' }), 'discovery_without_keys'],
    ['keys in a data URL', metadata({ jwks_uri: 'data:,{}' }), 'discovery_without_keys'],
    ['user information', metadata({ jwks_uri: 'https://u:p@id.example/keys' }), 'discovery_without_keys'],
    ['another host', metadata({ jwks_uri: 'https://evil.example/keys' }), 'discovery_host_refused'],
    ['another port', metadata({ jwks_uri: 'https://id.example:444/keys' }), 'discovery_host_refused'],
    ['an inner address', metadata({ jwks_uri: 'https://169.254.169.254/keys' }), 'discovery_host_refused'],
    ['two issuers', '{"issuer":"https://id.example","issuer":"https://id.example"}', 'discovery_not_json'],
    ['HTML', '<html>', 'discovery_not_json'],
    ['a list', '[]', 'discovery_not_json'],
  ])('refuses %s', (_, text, problem) => {
    expect(readDiscovery(text, rules)).toMatchObject({ problem });
  });

  it('names the host that it refuses', () => {
    expect(readDiscovery(metadata({ jwks_uri: 'https://evil.example/keys' }), rules)).toEqual({
      problem: 'discovery_host_refused',
      host: 'evil.example',
    });
  });
});

test('the metadata of a transmitter of events is looked for at both places of its own first', () => {
  const [realm, root] = ['https://id.example/realms/a', 'https://id.example'].map(transmitterUrls);
  expect(realm?.slice(0, 2)).toEqual([
    'https://id.example/.well-known/ssf-configuration/realms/a',
    'https://id.example/realms/a/.well-known/ssf-configuration',
  ]);
  expect(root).toEqual(['https://id.example/.well-known/ssf-configuration', ...discoveryUrls('https://id.example')]);
  expect(transmitterUrls('spiffe://example.org')).toEqual([]);
});
