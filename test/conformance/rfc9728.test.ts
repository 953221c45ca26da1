/** RFC 9728 (protected resource metadata) as it binds a resource. The table is docs/reference/rfc9728.md. */
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../lib/decision/request.ts';
import { metadataAnswer } from '../../lib/http/resource-metadata.ts';
import { denialAnswer } from '../../lib/respond/denial.ts';
import { metadataUrl, resourceMetadata } from '../../lib/respond/protected-resource.ts';

const resource = new URL('https://api.example/v1');
const row = (scope: Endpoint['scope'], own = false) => ({ scope, own }) as Endpoint;
const facts = {
  resource,
  issuers: ['https://id.example', 'spiffe://trust'],
  endpoints: [row('read'), row({ any: ['read', 'write'] }), row(null), row('revoke', true)],
  proofAlgorithms: ['ES256'],
  proofsRequired: true,
};

const newId = () => 'r-1';

describe('RFC 9728', () => {
  it('§2: `resource` is there, and nothing is empty', () => {
    const metadata = resourceMetadata({
      ...facts,
      issuers: [],
      endpoints: [],
      proofAlgorithms: null,
      proofsRequired: false,
    });
    expect(metadata.resource).toBe('https://api.example/v1');
    for (const value of Object.values(metadata)) expect(Array.isArray(value) ? value.length : 1).toBeGreaterThan(0);
  });

  it('§2: authorization servers are issuer identifiers, scopes those of the resource’s own rows', () => {
    expect(resourceMetadata(facts)).toMatchObject({
      ...{ authorization_servers: ['https://id.example'], scopes_supported: ['read', 'write'] },
      ...{ bearer_methods_supported: ['header'], dpop_signing_alg_values_supported: ['ES256'] },
      dpop_bound_access_tokens_required: true,
    });
  });

  it('§2: `none` is never among the algorithms', () => {
    expect(JSON.stringify(resourceMetadata(facts))).not.toContain('"none"');
  });

  it.each([
    ['https://api.example', 'https://api.example/.well-known/oauth-protected-resource'],
    ['https://api.example/', 'https://api.example/.well-known/oauth-protected-resource'],
    ['https://api.example/v1', 'https://api.example/.well-known/oauth-protected-resource/v1'],
  ])('§3.1: the metadata of %s is at %s', (identifier, url) => {
    expect(metadataUrl(new URL(identifier))).toBe(url);
  });

  it('§3.1, §3.2: GET is answered 200 with JSON, without credentials', async () => {
    const served = { identifier: resource, metadata: JSON.stringify(resourceMetadata(facts)) };
    const answer = metadataAnswer(served, 'GET', '/.well-known/oauth-protected-resource/v1', newId);
    expect([answer?.status, answer?.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(metadataAnswer(served, 'GET', '/.well-known/oauth-protected-resource/other', newId)).toBeNull();
    const other = metadataAnswer(served, 'POST', '/.well-known/oauth-protected-resource/v1', newId);
    expect([other?.status, other?.headers.get('allow'), other?.headers.get('x-request-id')]).toEqual([
      405,
      'GET, HEAD',
      'r-1',
    ]);
    expect(await other?.json()).toMatchObject({ status: 405, code: 'method_not_allowed', request_id: 'r-1' });
  });

  it('§6: the identifier is not normalized, in Unicode or otherwise', () => {
    const identifier = `https://api.example/${encodeURIComponent('e\u0301')}/%7Ea`;
    expect(resourceMetadata({ ...facts, resource: new URL(identifier) }).resource).toBe(identifier);
  });

  it('§7.10: says how long it may be cached', () => {
    const served = { identifier: resource, metadata: '{}' };
    const answer = metadataAnswer(served, 'GET', '/.well-known/oauth-protected-resource/v1', newId);
    expect(answer?.headers.get('cache-control')).toMatch(/max-age=\d+/);
  });

  it('§3.3: `resource` is the identifier from which the URL was made, character for character', () => {
    for (const identifier of ['https://api.example', 'https://api.example/v1', 'https://api.example/V1/'])
      expect(resourceMetadata({ ...facts, resource: new URL(identifier) }).resource).toBe(identifier);
  });

  it('§5.1: the challenge names the metadata', () => {
    const challenge = { resourceMetadata: metadataUrl(resource), proofAlgorithms: null, proofsRequired: false };
    const { headers } = denialAnswer(
      { reason: 'credentials_missing' },
      { requestId: 'r', authMethod: 'jwt', challenge },
    );
    expect(new Map(headers).get('www-authenticate')).toContain(`resource_metadata="${metadataUrl(resource)}"`);
  });
});
