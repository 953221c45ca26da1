import { describe, expect, it } from 'vitest';
import { createJwsReader, parseCompactJws } from '../../../../lib/authenticate/jwt/compact-jws.ts';
import { part } from '../../../support/tokens.ts';

const header = part({ alg: 'RS256' });
const claims = part({ sub: 'alice' });

describe('compact JWS', () => {
  it('comes apart into header, claims, signature and what was signed', () => {
    expect(parseCompactJws(`${header}.${claims}.AQID`)).toEqual({
      header: { alg: 'RS256' },
      claims: { sub: 'alice' },
      signature: new Uint8Array([1, 2, 3]),
      signed: `${header}.${claims}`,
    });
  });

  it.each([
    ['nothing', '', 'shape'],
    ['no dot', 'abc', 'shape'],
    ['one dot', `${header}.${claims}`, 'shape'],
    ['no signature (alg none, RFC 7519 §6.1)', `${header}.${claims}.`, 'shape'],
    ['no header', `.${claims}.AQID`, 'shape'],
    ['no claims, i.e. detached (RFC 7515 appendix F)', `${header}..AQID`, 'shape'],
    ['four parts', `${header}.${claims}.AQID.AQID`, 'shape'],
    ['five parts, i.e. a JWE (RFC 7516 §3.1)', `${header}.a.b.c.d`, 'shape'],
    ['JSON serialisation (RFC 7515 §7.2)', JSON.stringify({ payload: claims, signatures: [] }), 'shape'],
    ['JSON with dots in it', `{"a":"${header}.${claims}.AQID"}`, 'header'],
    ['a leading space', ` ${header}.${claims}.AQID`, 'header'],
    ['a space inside', `${header}.${claims.slice(0, 4)} ${claims.slice(4)}.AQID`, 'claims'],
    ['a trailing space', `${header}.${claims}.AQID `, 'signature'],
    ['a trailing line feed', `${header}.${claims}.AQID\n`, 'signature'],
    ['padding', `${header}.${claims}.AQ==`, 'signature'],
    ['the standard alphabet', `${header}.${claims}.++++`, 'signature'],
    ['bits past the last byte', `${header}.${claims}.AR`, 'signature'],
    ['a length that no bytes have', `${header}.${claims}.AQIDA`, 'signature'],
    ['a header that is no JSON', `${part('alg')}.${claims}.AQID`, 'header'],
    ['a header that is an array', `${part('[]')}.${claims}.AQID`, 'header'],
    ['duplicate header parameters', `${part('{"alg":"none","alg":"RS256"}')}.${claims}.AQID`, 'header'],
    ['claims that are an array', `${header}.${part('[{"sub":"alice"}]')}.AQID`, 'claims'],
    ['claims that are a string', `${header}.${part('"alice"')}.AQID`, 'claims'],
    ['claims that are null', `${header}.${part('null')}.AQID`, 'claims'],
    ['duplicate claims', `${header}.${part('{"sub":"alice","sub":"root"}')}.AQID`, 'claims'],
    [
      'claims in invalid UTF-8',
      `${header}.${part(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))}.AQID`,
      'claims',
    ],
    ['deep claims', `${header}.${part(`{"a":${'['.repeat(1500)}${']'.repeat(1500)}}`)}.AQID`, 'claims'],
  ])('is not: %s', (_, token, malformed) => {
    expect(parseCompactJws(token)).toBe(malformed);
  });

  it('comes apart the same way while headers are remembered, whatever the header is', () => {
    const read = createJwsReader();
    const headers = [header, part({ alg: 'RS256', pad: 'x'.repeat(600) }), part('no object'), 'e30', 'e3'];
    const tokens = headers.flatMap((text) => [`${text}.${claims}.AQID`, `${text}.${claims}.AQIE`]);
    for (const token of [...tokens, ...tokens]) expect(read(token)).toEqual(parseCompactJws(token));
  });
});
