import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as scripts from '../../../lib/admit/redis-scripts.ts';

const { CHANGES_PER_TRIP, ...all } = scripts;

test.each(Object.entries(all))('%s is called by the digest of its text', (_, { text, sha1 }) => {
  expect(createHash('sha1').update(text).digest('hex')).toBe(sha1);
});

test('a page of changes fits on the stack of a script', () => {
  expect(CHANGES_PER_TRIP).toBeLessThan(4_000);
});
