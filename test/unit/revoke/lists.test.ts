import { expect, test } from 'vitest';
import type { RevocationHandles } from '../../../lib/decision/principal.ts';
import { createEmergencyLists } from '../../../lib/revoke/lists.ts';

function handles(some: Partial<RevocationHandles>): RevocationHandles {
  return {
    tokenId: null,
    subject: null,
    issuer: null,
    issuedAtSeconds: null,
    keyId: null,
    thumbprint: null,
    apiKeyId: null,
    ...some,
  };
}

const revokedBy = createEmergencyLists({
  revokedTokenIds: ['token-1'],
  revokedKeyIds: ['key-1'],
  revokedSubjects: ['alice@1000', 'bob@example.org@2000', 'carol@3000', 'carol@2500'],
});

test.each<[string, Partial<RevocationHandles>, string | null]>([
  ['a listed token', { tokenId: 'token-1' }, 'jti'],
  ['another token', { tokenId: 'token-2' }, null],
  ['a listed key', { keyId: 'key-1' }, 'kid'],
  ['a listed API key', { apiKeyId: 'key-1' }, 'key_id'],
  ['a token of a subject from before the cut-off', { subject: 'alice', issuedAtSeconds: 999 }, 'sub'],
  ['a token of the very second of the cut-off', { subject: 'alice', issuedAtSeconds: 1000 }, null],
  ['a token from after the cut-off', { subject: 'alice', issuedAtSeconds: 1001 }, null],
  ['a token of a cut-off subject that does not say when it was issued', { subject: 'alice' }, 'sub'],
  ['a subject with an @ of its own', { subject: 'bob@example.org', issuedAtSeconds: 1999 }, 'sub'],
  ['the later of two cut-offs', { subject: 'carol', issuedAtSeconds: 2999 }, 'sub'],
  ['a subject named like a member of Object', { subject: 'constructor' }, null],
  ['a token id that is a listed key id', { tokenId: 'key-1' }, null],
])('%s', (_, some, expected) => {
  expect(revokedBy(handles(some))).toBe(expected);
});

test('without lists nothing is revoked', () => {
  const none = createEmergencyLists({ revokedTokenIds: [], revokedKeyIds: [], revokedSubjects: [] });
  expect(none(handles({ tokenId: '', subject: '', keyId: '' }))).toBeNull();
});

test.each(['alice', '@1000', 'alice@', 'alice@soon'])('an entry %j that is no subject and time is a bug', (entry) => {
  expect(() => createEmergencyLists({ revokedTokenIds: [], revokedKeyIds: [], revokedSubjects: [entry] })).toThrow(
    TypeError,
  );
});
