import { describe, expect, it } from 'vitest';
import { checkClaims as checkAll } from '../../../../lib/authenticate/jwt/token-claims.ts';
import { createFindIssuer, isIssuer } from '../../../../lib/authenticate/jwt/token-issuer.ts';
import type { JsonObject } from '../../../../lib/codec/strict-json.ts';
import { audience, claims, issuer, issuerOf, now, type OneIssuer, tokenSettings } from '../../../support/tokens.ts';

function without(name: string): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));
}
function checkClaims(all: JsonObject, rules: OneIssuer, at: number) {
  return checkAll(all, issuerOf(rules, null), at);
}
function checkIssuer(all: JsonObject, spelling: string | null) {
  const found = createFindIssuer([issuerOf({ ...tokenSettings, issuer: spelling }, null)])(all);
  return isIssuer(found) ? null : found;
}
function check(changes: object, rules = {}, at = now) {
  return checkClaims({ ...claims, ...changes } as JsonObject, { ...tokenSettings, ...rules }, at);
}
function missing(claim: string) {
  return { reason: 'token_claim_missing', claim };
}
function invalid(claim: string) {
  return { reason: 'token_claim_invalid', claim };
}

describe('claims', () => {
  it('come to facts', () => {
    expect(check({ jti: 't1', nbf: now - 20 })).toEqual({
      subject: 'alice',
      issuer,
      tokenId: 't1',
      issuedAtSeconds: now - 10,
      expiresAtSeconds: now + 300,
      validFromSeconds: now - 10,
      certificateThumbprint: null,
      proofThumbprint: null,
    });
  });

  describe('exp', () => {
    it('is demanded', () => {
      expect(checkClaims(without('exp'), tokenSettings, now)).toEqual(missing('exp'));
    });

    it('is over on its instant plus the skew, not after it (RFC 7519 §4.1.4)', () => {
      const exp = now;
      expect(check({ exp }, {}, exp + 59.999)).toHaveProperty('subject');
      expect(check({ exp }, {}, exp + 60)).toEqual({ reason: 'token_expired', secondsAgo: 60 });
      expect(check({ exp }, { clockSkewSeconds: 0 }, exp)).toEqual({ reason: 'token_expired', secondsAgo: 0 });
      expect(check({ exp }, { clockSkewSeconds: 0 }, exp - 0.001)).toHaveProperty('subject');
    });

    it('may have a fraction', () => {
      expect(check({ exp: now + 0.5 }, { clockSkewSeconds: 0 })).toHaveProperty('expiresAtSeconds', now + 0.5);
    });
  });

  describe.each(['exp', 'nbf', 'iat'] as const)('%s', (claim) => {
    it.each([`${now}`, null, true, [now], { now }, JSON.parse('1e999'), -1, 253_402_300_800, 1e300])(
      'is no NumericDate as %j',
      (value) => {
        expect(check({ [claim]: value })).toEqual(invalid(claim));
      },
    );
  });

  describe.each(['nbf', 'iat'] as const)('%s', (claim) => {
    it('may be ahead by the skew and no more', () => {
      expect(check({ [claim]: now + 60 })).toHaveProperty('subject');
      expect(check({ [claim]: now + 61 })).toEqual({ reason: 'token_not_yet_valid', claim, secondsAhead: 61 });
    });
  });

  it('of which the later of nbf and iat counts as the beginning', () => {
    expect(check({ nbf: now - 5 })).toHaveProperty('validFromSeconds', now - 5);
    expect(checkClaims(without('iat'), { ...tokenSettings, maximumLifetimeSeconds: null }, now)).toHaveProperty(
      'validFromSeconds',
      null,
    );
  });

  describe('lifetime', () => {
    it('is limited from iat to exp', () => {
      expect(check({ iat: now, exp: now + 3600 })).toHaveProperty('subject');
      expect(check({ iat: now, exp: now + 3601 })).toEqual({
        reason: 'token_lifetime_too_long',
        lifetimeSeconds: 3601,
        maximumSeconds: 3600,
      });
    });

    it('needs iat where it is limited, and only there', () => {
      expect(checkClaims(without('iat'), tokenSettings, now)).toEqual(missing('iat'));
      expect(checkClaims(without('iat'), { ...tokenSettings, maximumLifetimeSeconds: null }, now)).toHaveProperty(
        'subject',
      );
    });
  });

  describe('iss', () => {
    it('is the configured one, character for character', () => {
      expect(checkIssuer(claims, issuer)).toBeNull();
      expect(checkIssuer(without('iss'), issuer)).toEqual(missing('iss'));
    });

    it.each([`${issuer}/`, `${issuer}.evil.example`, issuer.toUpperCase(), issuer.slice(0, -1), '', ` ${issuer}`])(
      'is not %s',
      (iss) => {
        expect(checkIssuer({ iss }, issuer)).toEqual({ reason: 'token_issuer_unknown' });
      },
    );

    it.each([[[issuer]], [null], [1], [{ iss: issuer }], [true]])('is no issuer as %j (CVE-2025-30144)', (iss) => {
      expect(checkIssuer({ iss } as JsonObject, issuer)).toEqual(invalid('iss'));
      expect(checkIssuer({ iss } as JsonObject, null)).toEqual(invalid('iss'));
    });

    it('is not taken from a prototype', () => {
      expect(checkIssuer(JSON.parse(`{"__proto__":{"iss":"${issuer}"}}`), issuer)).toEqual(missing('iss'));
    });

    it('may be any, or none, where none is configured', () => {
      expect(checkIssuer({ iss: 'x' }, null)).toBeNull();
      expect(checkIssuer({}, null)).toBeNull();
    });
  });

  describe('aud', () => {
    it.each([[audience], [[audience]], [['x', audience]]])('contains ours in %j', (aud) => {
      expect(check({ aud })).toHaveProperty('subject');
    });

    it.each([
      ['another one', 'https://other.example'],
      ['a longer one', `${audience}/x`],
      ['a part of ours', audience.slice(0, 10)],
      ['an empty text', ''],
      ['an empty list', []],
      ['a list in a list', [[audience]]],
      ['a list with something else in it', [audience, 1]],
      ['an object', { 0: audience, length: 1 }],
      ['null', null],
      ['several in one text', `x ${audience}`],
    ])('does not in %s', (_, aud) => {
      expect(check({ aud })).toEqual(invalid('aud'));
    });

    it('is demanded where one is configured, and of the right type in any case', () => {
      expect(checkClaims(without('aud'), tokenSettings, now)).toEqual(missing('aud'));
      expect(checkClaims(without('aud'), { ...tokenSettings, audience: null }, now)).toHaveProperty('subject');
      expect(check({ aud: 7 }, { audience: null })).toEqual(invalid('aud'));
    });
  });

  describe('jti', () => {
    it.each([['', 1, null, ['t1'], { t: 1 }, 'x'.repeat(1025), '\ud800']].flat().map((jti) => [jti]))(
      'is no token id as %j',
      (jti) => {
        expect(check({ jti })).toEqual(invalid('jti'));
      },
    );
  });

  describe('subject', () => {
    it.each([1, ['alice'], { a: 1 }, ' alice', 'alice\n', 'x'.repeat(513)])('is nobody as %j', (sub) => {
      expect(check({ sub })).toEqual(invalid('sub'));
    });

    it('is demanded', () => {
      expect(check({ sub: '' })).toEqual(invalid('sub'));
      expect(check({ sub: null })).toEqual(missing('sub'));
      expect(checkClaims(without('sub'), tokenSettings, now)).toEqual(missing('sub'));
    });

    it('may stand in another claim, never in an inherited one', () => {
      expect(check({ client_id: 'bot' }, { subjectClaim: 'client_id' })).toHaveProperty('subject', 'bot');
      expect(check({}, { subjectClaim: 'client_id' })).toEqual(missing('sub'));
      expect(check({}, { subjectClaim: 'constructor' })).toEqual(missing('sub'));
      expect(check({}, { subjectClaim: '__proto__' })).toEqual(missing('sub'));
      expect(check({ client_id: 'bot', sub: 7 }, { subjectClaim: 'client_id' })).toHaveProperty('subject', 'bot');
    });
  });

  describe('cnf', () => {
    it('demands a certificate', () => {
      expect(check({ cnf: { 'x5t#S256': 'abc' } })).toHaveProperty('certificateThumbprint', 'abc');
    });

    it('demands a proof', () => {
      expect(check({ cnf: { jkt: 'abc' } })).toHaveProperty('proofThumbprint', 'abc');
    });

    it('demands both', () => {
      const facts = check({ cnf: { jkt: 'abc', 'x5t#S256': 'def' } });
      expect(facts).toMatchObject({ proofThumbprint: 'abc', certificateThumbprint: 'def' });
    });

    it.each([
      ['that demands what nobody here checks', { kid: 'abc' }],
      ['that demands more than a certificate and a proof', { 'x5t#S256': 'abc', jkt: 'abc', jwk: 'abc' }],
      ['that demands nothing', {}],
      ['of another type', 'abc'],
      ['that is null', null],
      ['that is an array', ['abc']],
      ['with a thumbprint of another type', { 'x5t#S256': ['abc'] }],
      ['with a thumbprint of a key that is no text', { jkt: 7 }],
    ])('is refused %s', (_, cnf) => {
      expect(check({ cnf })).toEqual(invalid('cnf'));
    });
  });
});
