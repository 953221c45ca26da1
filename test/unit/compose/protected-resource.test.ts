import { expect, test } from 'vitest';
import { composeResource } from '../../../lib/compose/authenticate/proofs.ts';
import { loadConfig } from '../../../lib/config/load.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: true, bucketBinding: false } as const;

function metadataFor(env: Record<string, string>): unknown {
  const loaded = loadConfig(
    { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_RESOURCE: 'https://api.example/v1', ...env },
    place,
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return JSON.parse(composeResource(loaded.config)?.metadata ?? 'null');
}

test('the metadata names every issuer as authorization server (RFC 9728 §2)', () => {
  const issuers = ['https://a.example', 'https://b.example'].map((issuer) => ({
    issuer,
    audience: 'api',
    keys: `${issuer}/keys`,
  }));
  expect(metadataFor({ TGEFD_ISSUERS: JSON.stringify(issuers) })).toMatchObject({
    resource: 'https://api.example/v1',
    authorization_servers: ['https://a.example', 'https://b.example'],
  });
});

test('the metadata names the issuer of the single variables', () => {
  const env = { TGEFD_JWT_ISSUER: 'https://a.example', TGEFD_JWKS_URL: 'https://a.example/keys' };
  expect(metadataFor(env)).toMatchObject({ authorization_servers: ['https://a.example'] });
});
