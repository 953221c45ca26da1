import { expect, test } from 'vitest';
import type { CompactJws } from '../../../../lib/authenticate/jwt/compact-jws.ts';
import { refusalFacts } from '../../../../lib/authenticate/jwt/refusal-facts.ts';
import type { TokenIssuer } from '../../../../lib/authenticate/jwt/token-issuer.ts';

const issuers = [
  `https://login.microsoftonline.com/${'1'.repeat(8)}-1111-1111-1111-111111111111/v2.0`,
  'http://127.0.0.1:36413/realms/acme',
  'https://acme.auth0.com/',
].map((spelling) => ({ spellings: [spelling], setBy: {} }) as unknown as TokenIssuer);

test.each([
  ['https://acme.auth0.com', 'https://acme.auth0.com/ or '],
  ['http://127.0.0.1:36413/realms/other', 'http://127.0.0.1:36413/realms/acme or '],
])('an unknown issuer %s is told beside the one that was probably meant', (iss, first) => {
  const jws = { header: {}, claims: { iss } } as unknown as CompactJws;
  const told = refusalFacts({ reason: 'token_issuer_unknown' }, jws, null, issuers, 0);
  expect(told).toMatchObject({ found: iss, wanted: expect.stringMatching(`^${first}`), set_by: 'TGEFD_ISSUERS' });
  expect(told.wanted?.length).toBeLessThanOrEqual(81);
});
