import { expect, it } from 'vitest';
import { subjectAt } from '../../../lib/authenticate/jwt/subject.ts';
import { spelledRevocations } from '../../../lib/compose/spelled-revocations.ts';
import { firstSpellings } from '../../../lib/config/issuers/spellings.ts';
import { createMemoryRevocations } from '../../../lib/revoke/memory.ts';

const nowSeconds = 1_800_000_000;
const [first, second] = ['https://accounts.example', 'accounts.example'] as const;

function entryOf(id: string) {
  const times = { beforeSeconds: nowSeconds, expiresAtSeconds: nowSeconds + 60, createdAtSeconds: nowSeconds };
  return { kind: 'sub', id, ...times, reason: null, by: 'test' } as const;
}

it('a subject is revoked, found and taken back at its issuer in whatever spelling that is given', async () => {
  const kept = createMemoryRevocations(() => nowSeconds * 1000);
  const spelled = spelledRevocations(kept, firstSpellings([{ spellings: [first, second] }, { spellings: ['other'] }]));

  await spelled.add(entryOf(subjectAt(second, 'alice')));
  expect(await kept.find('sub', subjectAt(first, 'alice'))).toMatchObject({ value: { kind: 'sub' } });
  expect(await spelled.find('sub', subjectAt(second, 'alice'))).toMatchObject({ value: { kind: 'sub' } });
  expect(await kept.find('sub', subjectAt('other', 'alice'))).toMatchObject({ value: null });
  expect(await spelled.remove('sub', subjectAt(second, 'alice'))).toMatchObject({ value: true });
  expect(await kept.find('sub', subjectAt(first, 'alice'))).toMatchObject({ value: null });
});

it('a subject alone and an issuer that is not configured stay as they are', async () => {
  const kept = createMemoryRevocations(() => nowSeconds * 1000);
  const spelled = spelledRevocations(kept, firstSpellings([{ spellings: [first, second] }]));
  for (const id of ['bob', subjectAt('elsewhere', 'bob')]) {
    await spelled.add(entryOf(id));
    expect(await kept.find('sub', id)).toMatchObject({ value: { id } });
  }
});
