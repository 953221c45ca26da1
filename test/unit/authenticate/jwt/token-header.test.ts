import { describe, expect, it } from 'vitest';
import { checkHeader } from '../../../../lib/authenticate/jwt/token-header.ts';

const rules = {
  algorithms: new Set(['RS256', 'ES256']),
  types: new Set(['application/jwt', 'application/at+jwt']),
  typeMayBeAbsent: true,
};

describe('token header', () => {
  it('names an algorithm and a key', () => {
    expect(checkHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' }, rules)).toEqual({ algorithm: 'RS256', keyId: 'k1' });
    expect(checkHeader({ alg: 'ES256' }, rules)).toEqual({ algorithm: 'ES256', keyId: null });
  });

  it.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    'rs256',
    'RS256 ',
    'RS384',
    'HS256',
    '',
    null,
    256,
    true,
    ['RS256'],
    { alg: 'RS256' },
    undefined,
  ])('refuses alg %j', (alg) => {
    const header = alg === undefined ? {} : { alg };
    expect(checkHeader(header, rules)).toEqual({ reason: 'token_algorithm_refused' });
  });

  it('takes no algorithm from a prototype', () => {
    expect(checkHeader(JSON.parse('{"__proto__":{"alg":"RS256"}}'), rules)).toEqual({
      reason: 'token_algorithm_refused',
    });
  });

  it.each([[['exp']], [['b64']], [[]], ['exp'], [null], [false]])('refuses crit %j, whatever it lists', (crit) => {
    expect(checkHeader({ alg: 'RS256', crit }, rules)).toEqual({ reason: 'token_header_refused', parameter: 'crit' });
  });

  it.each([false, true, 'false', null])('refuses b64 %j', (b64) => {
    expect(checkHeader({ alg: 'RS256', b64 }, rules)).toEqual({ reason: 'token_header_refused', parameter: 'b64' });
  });

  it.each(['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT', 'application/jwt'])(
    'accepts typ %s: media types compare in any letter case, `application/` may be left out',
    (typ) => {
      expect(checkHeader({ alg: 'RS256', typ }, rules)).toHaveProperty('algorithm');
    },
  );

  it.each([
    'id+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'logout+jwt',
    'jwt;x=y',
    'text/jwt',
    'x/at+jwt',
    'application/application/jwt',
    '',
    null,
    1,
    ['JWT'],
  ])('refuses typ %j (RFC 8725 §3.11)', (typ) => {
    expect(checkHeader({ alg: 'RS256', typ }, rules)).toEqual({ reason: 'token_header_refused', parameter: 'typ' });
  });

  it('refuses an absent typ where one is demanded, and never takes the word `absent` for one', () => {
    const strict = { ...rules, typeMayBeAbsent: false };
    expect(checkHeader({ alg: 'RS256' }, strict)).toEqual({ reason: 'token_header_refused', parameter: 'typ' });
    expect(checkHeader({ alg: 'RS256', typ: 'absent' }, rules)).toHaveProperty('reason');
  });

  it.each([1, null, ['k1'], { k: 1 }, true])('refuses kid %j', (kid) => {
    expect(checkHeader({ alg: 'RS256', kid }, rules)).toEqual({ reason: 'token_header_refused', parameter: 'kid' });
  });

  it('passes over parameters that it does not know (RFC 7515 §4)', () => {
    expect(checkHeader({ alg: 'RS256', kid: 'k1', x: 1, cty: 'x', jku: 'https://evil.example' }, rules)).toEqual({
      algorithm: 'RS256',
      keyId: 'k1',
    });
  });
});
