/**
 * RFC 6750 (bearer tokens), as it binds the side that receives them.
 *
 * | requirement | test |
 * |---|---|
 * | §2 one method of transmission per request | "§2": the header field is the only one |
 * | §2.1 `Authorization: Bearer b64token`, at least one space | "§2.1" |
 * | §2.2 form-encoded body parameter | not accepted (optional in the RFC): "§2.2" |
 * | §2.3 URI query parameter | not accepted (RFC 9700 §4.3.2): "§2.3" |
 * | §3 scheme of the challenge, §3.1 `invalid_request` 400, `invalid_token` 401, `insufficient_scope` 403 | reasons here, their answers in test/unit/respond |
 * | §3.1 no error code when nothing was sent | "§3.1": `credentials_missing` |
 * | §5.2, §5.3 TLS | the boundary's: `TGEFD_REQUIRE_TLS` |
 * | RFC 9110 §11.1 scheme in any letter case | "§2.1" |
 * | RFC 9110 §5.3 a repeated field | "§3.1" |
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthenticator } from '../../lib/authenticate/authenticate.ts';
import type { Authenticator } from '../../lib/authenticate/authenticator.ts';
import type { AccessRequest, Boundary } from '../../lib/decision/request.ts';
import { context, createSigner, issuerOf, keySetsOf, now, tokenOf, tokenSettings } from '../support/tokens.ts';

let token: string;
let authenticate: Authenticator;

beforeAll(async () => {
  const signer = await createSigner('ES256');
  token = await tokenOf(signer);
  authenticate = createAuthenticator(
    {
      mode: 'jwt',
      issuers: [issuerOf(tokenSettings, keySetsOf([signer.verification]))],
      maximumBytes: 8192,
      header: 'authorization',
      prefix: 'bearer ',
      cache: { maximumEntries: 10, maximumCharacters: 100_000 },
    },
    {
      clock: () => now * 1000,
      secrets: [],
      grants: { ofLists: () => ({ scopes: [], roles: [] }) },
      readCertificate: () => ({ found: 'none' }),
    },
  );
});

async function answer(fields: [string, string][], target = '/') {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  const request: AccessRequest = {
    door: 'gateway',
    method: 'POST',
    target,
    headers,
    hop: { peerAddress: null, secure: true, certificate: null },
  };
  const authentication = await authenticate(request, { ingressIdentity: null } as Boundary, context, true);
  return authentication.outcome === 'refused' ? authentication.reason.reason : authentication.outcome;
}

describe('RFC 6750', () => {
  it('§2: a token in a second place adds nothing and spoils nothing', async () => {
    expect(await answer([['authorization', `Bearer ${token}`]], '/?access_token=x')).toBe('authenticated');
  });

  it('§2.1: the scheme in any letter case, then at least one space', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await answer([['Authorization', `${scheme} ${token}`]])).toBe('authenticated');
    expect(await answer([['Authorization', `Bearer    ${token}`]])).toBe('authenticated');
    expect(await answer([['Authorization', `Bearer${token}`]])).toBe('credentials_missing');
    expect(await answer([['Authorization', token]])).toBe('credentials_missing');
  });

  it('§2.2: a token in a form is none', async () => {
    expect(
      await answer([
        ['content-type', 'application/x-www-form-urlencoded'],
        ['access_token', token],
      ]),
    ).toBe('credentials_missing');
  });

  it('§2.3: a token in the query is none', async () => {
    expect(await answer([], `/?access_token=${token}`)).toBe('credentials_missing');
  });

  it('§3.1: nothing, another scheme and an empty token are no credentials at all', async () => {
    expect(await answer([])).toBe('credentials_missing');
    expect(await answer([['authorization', 'Basic eDp5']])).toBe('credentials_missing');
    expect(await answer([['authorization', 'Bearer ']])).toBe('credentials_missing');
  });

  it('§3.1: several tokens, or one beyond all measure, are a request that nobody should send', async () => {
    expect(
      await answer([
        ['authorization', `Bearer ${token}`],
        ['authorization', `Bearer ${token}`],
      ]),
    ).toBe('credentials_duplicated');
    expect(
      await answer([
        ['authorization', 'Basic eDp5'],
        ['authorization', `Bearer ${token}`],
      ]),
    ).toBe('credentials_duplicated');
    expect(await answer([['authorization', `Bearer ${'x'.repeat(9000)}`]])).toBe('credentials_oversized');
  });

  it('§3.1: a token that is malformed, expired or otherwise invalid is refused for what it is', async () => {
    expect(await answer([['authorization', 'Bearer x']])).toBe('token_malformed');
    expect(await answer([['authorization', `Bearer ${token} ${token}`]])).toBe('token_malformed');
  });
});
