import { describe, expect, it } from 'vitest';
import { createCheckApiKey, parseApiKeys } from '../../../lib/authenticate/api-key.ts';

function parse(current: string, previous: string | null = null) {
  return parseApiKeys({ current, previous });
}

describe('TGEFD_API_KEY', () => {
  it.each([
    ['s3cret', null, [{ id: 'default', secret: 's3cret', slot: 'current' }]],
    [
      's3cret',
      'old',
      [
        { id: 'default', secret: 's3cret', slot: 'current' },
        { id: 'previous', secret: 'old', slot: 'previous' },
      ],
    ],
    ['alice:a', null, [{ id: 'alice', secret: 'a', slot: 'current' }]],
    [
      'alice:a, bob:b:c=',
      null,
      [
        { id: 'alice', secret: 'a', slot: 'current' },
        { id: 'bob', secret: 'b:c=', slot: 'current' },
      ],
    ],
    [
      'alice:new',
      'alice:old',
      [
        { id: 'alice', secret: 'new', slot: 'current' },
        { id: 'alice', secret: 'old', slot: 'previous' },
      ],
    ],
    ['s3cret', 's3cret', [{ id: 'default', secret: 's3cret', slot: 'current' }]],
    [
      'alice:a,bob:b',
      'alice:a',
      [
        { id: 'alice', secret: 'a', slot: 'current' },
        { id: 'bob', secret: 'b', slot: 'current' },
      ],
    ],
  ])('%j with %j before', (current, previous, keys) => {
    expect(parse(current, previous)).toEqual({ keys, problems: [] });
  });

  it.each([
    ['', 'a key that is empty'],
    ['   ', 'a key that is empty'],
    ['alice:a,', 'entry 2 that is empty'],
    ['alice:a,,bob:b', 'entry 2 that is empty'],
    ['alice:a,s3cret', 'entry 2 without an id'],
    ['one,two', 'entry 1 without an id'],
    [':s3cret', 'a key with a malformed id'],
    ['al ice:s3cret', 'a key with a malformed id'],
    [`${'x'.repeat(65)}:s3cret`, 'a key with a malformed id'],
    ['alice:', 'a key with a malformed key'],
    ['alice:s3 cret', 'a key with a malformed key'],
    ['alice:s3crét', 'a key with a malformed key'],
    ['s3cret\nx', 'a key with a malformed key'],
    ['alice:a,alice:b', 'entry 2 with an id given before'],
    ['alice:a,bob:a', 'entry 2 with a key given before'],
  ])('%j is a problem, and no key', (text, found) => {
    const { keys, problems } = parse(text);
    expect(keys).toEqual([]);
    expect(problems[0]).toMatchObject({ of: 'current', found });
  });

  it('one key for two holders is a problem, in two values too', () => {
    expect(parse('alice:a', 'bob:a').problems).toMatchObject([
      { of: 'previous', found: 'a key with a key given before' },
    ]);
    expect(parse('alice:a', 'a').problems).toMatchObject([{ of: 'previous', found: 'a key with a key given before' }]);
    expect(parse('default:a,default:a').keys).toEqual([]);
  });

  it('gives every problem, of either value, without a secret in it', () => {
    const { problems } = parse('alice:hunter2 , hunter3, bob:hunter2', 'hunter2');
    expect(problems.map(({ of, found }) => [of, found])).toEqual([
      ['current', 'entry 2 without an id'],
      ['current', 'entry 3 with a key given before'],
      ['previous', 'a key with a key given before'],
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter');
  });
});

describe('check of an API key', () => {
  const check = createCheckApiKey(parse('alice:a-key, bob:another', 'alice:old-key').keys);

  it.each([
    ['a-key', 'alice', 'current'],
    ['another', 'bob', 'current'],
    ['old-key', 'alice', 'previous'],
  ])('%s is %s’s, the %s one', async (presented, id, slot) => {
    expect(await check(presented)).toEqual({ id, slot });
  });

  it.each(['', 'a-ke', 'a-keyy', 'A-KEY', 'alice', 'alice:a-key', 'another ', 'a-key\0', 'x'.repeat(8192)])(
    '%j is nobody’s',
    async (presented) => {
      expect(await check(presented)).toBeNull();
    },
  );

  it('lets nobody in without keys', async () => {
    expect(await createCheckApiKey([])('')).toBeNull();
  });
});
