import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuthorize } from '../../../lib/authorize/authorize.ts';
import { createClaimGrants } from '../../../lib/authorize/claim-grants.ts';
import { roleScopes } from '../../../lib/authorize/roles.ts';
import { claimPathFault } from '../../../lib/codec/claim-path.ts';
import { parseIssuerRows } from '../../../lib/config/issuers/rows.ts';
import type { Principal } from '../../../lib/decision/principal.ts';
import type { Endpoint } from '../../../lib/decision/request.ts';
import { parseEndpointRows } from '../../../lib/request/endpoints/rows.ts';

/* Rows, claim paths and claims of any kind: they never throw, and never open what an oracle of a few lines does not. */

const seeded = (seed: number) => ({ seed, numRuns: 2000 });
const word = fc.constantFrom('a', 'ab', 'A', '1', '1.0', 'true', 'a b', '{id}', '__proto__', 'constructor', 'é');
const scalar = fc.oneof(word, fc.integer({ min: -2, max: 2 }), fc.boolean(), fc.constant(null));
const claim = fc.oneof(scalar, fc.array(scalar, { maxLength: 4 }), fc.dictionary(word, scalar, { maxKeys: 2 }));

function principal(claims: Principal['claims']): Principal {
  const ids = { keyId: null, tokenId: null, issuedAtSeconds: null, expiresAtSeconds: null, thumbprint: null };
  return { method: 'jwt', subject: 's', identity: 's', issuer: 'i', scopes: [], roles: [], claims, ...ids };
}

function decide(claims: Readonly<Record<string, unknown>>, wanted: unknown, path: string): boolean {
  const document = [{ method: 'GET', path: '/a/{id}', scope: null, budget: 'none', claims: { c: wanted } }];
  const { rows, problems } = parseEndpointRows(document);
  const [row] = rows;
  if (row === undefined) throw new Error(problems.join());
  const endpoint: Endpoint = { ...row, action: 'x', own: false };
  return createAuthorize([endpoint], true)(principal(claims), { found: 'endpoint', endpoint }, path) === null;
}

describe('rows with claims', () => {
  it('open exactly where the claim is, or contains, the path parameter as text', () => {
    fc.assert(
      fc.property(claim, fc.constantFrom('a', 'ab', 'A', '1', '1.0', 'true', 'null', '__proto__'), (value, id) => {
        const entries = Array.isArray(value) ? value : [value];
        const texts = entries.filter((entry) => entry !== null && typeof entry !== 'object').map(String);
        expect(decide({ c: value }, '{id}', `/a/${id}`)).toBe(texts.includes(id));
      }),
      seeded(13),
    );
  });

  it('open exactly where one wanted value or prefix holds', () => {
    const wanted = fc.constantFrom<string>('a', 'a*', '1', 'true', 'A', '*');
    fc.assert(
      fc.property(claim, fc.array(wanted, { minLength: 1, maxLength: 3 }), (value, values) => {
        const entries = Array.isArray(value) ? value : [value];
        const texts = entries.filter((entry) => entry !== null && typeof entry !== 'object').map(String);
        const holds = (text: string) =>
          values.some((each) => (each.endsWith('*') ? text.startsWith(each.slice(0, -1)) : text === each));
        expect(decide({ c: value }, values, '/a/x')).toBe(texts.some(holds));
      }),
      seeded(14),
    );
  });

  it('open to nobody who has no such claim of his own', () => {
    for (const claims of [{}, Object.create({ c: 'a' }), JSON.parse('{"__proto__":{"c":"a"}}'), { c: undefined }])
      expect(decide(claims, '*', '/a/x')).toBe(false);
  });
});

describe('claims of any kind', () => {
  it('grant only scopes that they name or that a role of theirs has', () => {
    const map = roleScopes({ admin: ['*'], analyst: ['x'], reader: [] }, null, [{ ab: ['y'] }]);
    const path = fc.oneof(fc.constantFrom('scope', 'roles', 'r.a', '/r/a', '/r/0', '/scope/0'), fc.string());
    const places = fc.array(
      path.filter((text) => claimPathFault(text) === null),
      { maxLength: 3 },
    );
    const claims = fc.record({ scope: claim, roles: claim, r: claim }, { requiredKeys: [] });
    fc.assert(
      fc.property(claims, places, places, fc.constantFrom('first', 'union'), (held, scopes, roles, grants) => {
        const settings = { scopes, roles, grants, scopesNamed: true, roleScopes: map } as const;
        const granted = createClaimGrants(settings).ofClaims(held).scopes;
        const text = JSON.stringify(held).toLowerCase();
        for (const scope of granted) {
          const byRole = [...map].some(([role, list]) => list.includes(scope) && text.includes(`"${role}`));
          expect(byRole || text.includes(scope.toLowerCase())).toBe(true);
        }
      }),
      seeded(15),
    );
  });
});

describe('rows of issuers', () => {
  it('of any JSON never throw, and are either read or refused with a sentence', () => {
    const member = fc.constantFrom(
      'issuer',
      'audience',
      'keys',
      'require',
      'roles',
      'role_scopes',
      'provider',
      'isuer',
    );
    const row = fc.dictionary(member, fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>, { maxKeys: 6 });
    fc.assert(
      fc.property(fc.oneof(fc.array(row, { maxLength: 3 }), fc.jsonValue()), (document) => {
        const { rows, problems } = parseIssuerRows(document as never, 'TGEFD_ISSUERS');
        if (rows.length === 0) expect(problems.length).toBeGreaterThan(0);
        for (const { found, accepted } of problems) expect(found.length * accepted.length).toBeGreaterThan(0);
      }),
      { seed: 16, numRuns: 1000 },
    );
  });
});
