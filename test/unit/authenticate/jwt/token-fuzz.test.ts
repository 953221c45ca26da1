import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFindToken } from '../../../../lib/authenticate/credentials.ts';
import {
  claims,
  context,
  createSigner,
  createVerifyToken,
  keySetsOf,
  now,
  part,
  sign,
  tokenOf,
  tokenSettings,
} from '../../../support/tokens.ts';

const signer = await createSigner('ES256');
const verify = createVerifyToken(tokenSettings, { keySets: keySetsOf([signer.verification]), secrets: [] });
const good = await tokenOf(signer);
function seeded(seed: number, numRuns = 1000) {
  return { seed, numRuns };
}

async function neverVerified(token: string) {
  const { outcome } = await verify(token, now * 1000, context, true);
  expect(outcome).toBe('refused');
}

const json = fc.json({ maxDepth: 4 });
const anyPart = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ABCabc019-_=+/. \n\u00e9') }),
  json.map((text) => part(text)),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => part(bytes)),
  fc.constantFrom(...good.split('.')),
);

describe('whatever is sent as a token', () => {
  it('of any text never throws and never authenticates', () =>
    fc.assert(fc.asyncProperty(fc.string({ unit: 'binary-ascii', maxLength: 200 }), neverVerified), seeded(1, 500)));

  it('of any parts never throws and never authenticates', () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyPart, { maxLength: 6 }), async (parts) => {
        const token = parts.join('.');
        fc.pre(token !== good);
        await neverVerified(token);
      }),
      seeded(2),
    ));

  it('of a good token with one character changed, taken out or put in never authenticates', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.string({ unit: fc.constantFrom(...'ABYZabyz019-_.= \n\0'), maxLength: 2 }),
        fc.nat(1),
        async (at, inserted, removed) => {
          const token = good.slice(0, at) + inserted + good.slice(at + removed);
          fc.pre(token !== good);
          await neverVerified(token);
        },
      ),
      seeded(3),
    ));

  it('with any value for any header parameter never throws, and authenticates only where that changes nothing', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('alg', 'typ', 'kid', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'cty', 'zip', '__proto__'),
        json,
        async (name, value) => {
          const header = `{"alg":"ES256","kid":"k1","typ":"JWT","x":0}`.replace(new RegExp(`"${name}":"[^"]*",`), '');
          const { outcome } = await verify(
            await sign(signer, header.replace('"x":0', `${JSON.stringify(name)}:${value}`)),
            now * 1000,
            context,
            true,
          );
          const ignored = ['jwk', 'jku', 'x5c', 'cty', '__proto__'].includes(name);
          expect(outcome).toBe(ignored ? 'verified' : 'refused');
        },
      ),
      seeded(4, 500),
    ));

  it('with any value for any claim never throws, and authenticates only with values of its type', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('exp', 'nbf', 'iat', 'iss', 'aud', 'sub', 'jti', 'cnf'),
        json,
        async (name, text) => {
          const value: unknown = JSON.parse(text);
          const { outcome } = await verify(
            await sign(signer, { alg: 'ES256' }, { ...claims, [name]: value }),
            now * 1000,
            context,
            true,
          );
          const couldPass =
            name === 'nbf'
              ? typeof value === 'number' && value >= 0
              : (name === 'sub' || name === 'jti') && typeof value === 'string' && value !== '';
          if (!couldPass) expect(outcome).toBe('refused');
        },
      ),
      seeded(5, 500),
    ));

  it('in any field never makes the search throw or give more than 8 KiB', () => {
    const find = createFindToken({ header: 'authorization', prefix: 'bearer ', maximumBytes: 8192 });
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'Bearer ,\t\0abc='), maxLength: 9000, size: 'max' }),
        (field) => {
          const found = find({ get: () => field, *[Symbol.iterator]() {} });
          if (typeof found === 'string') expect(found.length).toBeLessThanOrEqual(8192);
          else
            expect('reason' in found ? found.reason : 'a proof').toMatch(
              /^credentials_(missing|duplicated|oversized)$/,
            );
        },
      ),
      seeded(6, 300),
    );
  });
});
