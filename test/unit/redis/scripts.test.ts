import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { APPLY_EVENT } from '../../../lib/events/scripts.ts';
import { ADMIT, CHANGES_PER_TRIP } from '../../../lib/redis/scripts.ts';
import * as revocationScripts from '../../../lib/revoke/scripts.ts';

test.each(Object.entries({ ADMIT, APPLY_EVENT, ...revocationScripts }))(
  '%s is called by the digest of its text',
  (_, { text, sha1 }) => {
    expect(createHash('sha1').update(text).digest('hex')).toBe(sha1);
  },
);

test('a page of changes fits on the stack of a script', () => {
  expect(CHANGES_PER_TRIP).toBeLessThan(4_000);
});
