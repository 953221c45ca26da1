import { describe, expect, it } from 'vitest';
import type { RevocationHandles } from '../../../lib/decision/principal.ts';
import { revocationId } from '../../../lib/revoke/entry.ts';
import { createMemoryRevocations } from '../../../lib/revoke/memory.ts';
import { fieldsOf } from '../../../lib/revoke/revocation.ts';

const NOW_SECONDS = 1_800_000_000;

function handles(issuer: string | null): RevocationHandles {
  return {
    tokenId: null,
    subject: 'alice',
    issuer,
    issuedAtSeconds: NOW_SECONDS - 60,
    keyId: null,
    thumbprint: null,
    apiKeyId: null,
  };
}

async function revokedAt(revokedIssuer: string | null, issuer: string | null): Promise<boolean> {
  const revocations = createMemoryRevocations(() => NOW_SECONDS * 1000);
  await revocations.add({
    kind: 'sub',
    id: revocationId('sub', 'alice', revokedIssuer) ?? '',
    beforeSeconds: NOW_SECONDS,
    expiresAtSeconds: NOW_SECONDS + 60,
    reason: null,
    createdAtSeconds: NOW_SECONDS,
    by: 'cli',
  });
  const fields = await fieldsOf(handles(issuer), (_, value) => [value]);
  return revocations.lookUp(fields, NOW_SECONDS - 60) === 'sub';
}

describe('a revoked subject', () => {
  it.each<[revoked: string | null, issuer: string | null, refused: boolean]>([
    [null, null, true],
    [null, 'https://a.example', true],
    [null, 'https://b.example', true],
    ['https://a.example', 'https://a.example', true],
    ['https://a.example', 'https://b.example', false],
    ['https://a.example', null, false],
  ])('revoked at %s, token of %s: %s', async (revoked, issuer, refused) => {
    expect(await revokedAt(revoked, issuer)).toBe(refused);
  });
});

describe('the id of a revocation', () => {
  it('has no issuer for anything but a subject', () => {
    expect(revocationId('jti', 't-1', 'https://a.example')).toBeNull();
    expect(revocationId('kid', 'k-1', 'https://a.example')).toBeNull();
    expect(revocationId('kid', 'k-1')).toBe('k-1');
  });

  it('holds no control characters, so that no subject poses as one of another issuer', () => {
    expect(revocationId('sub', 'https://a.example\nalice')).toBeNull();
    expect(revocationId('sub', 'alice', 'https://a.example\nx')).toBeNull();
  });
});
