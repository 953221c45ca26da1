import { describe, expect, test } from 'vitest';
import { resolveSources, type Sources } from '../../../lib/config/sources.ts';

const files = new Map([
  ['/run/secrets/jwt', 'a secret of more than 32 bytes, indeed\n'],
  ['/run/secrets/old', 'the one before, also long enough to pass'],
]);
const sources: Sources = {
  file: async (path) => {
    const text = files.get(path);
    if (text === undefined) throw new Error('no such file');
    return text;
  },
  stores: new Map([['vault', async (reference: string) => `from the vault: ${reference}`]]),
};

describe('resolveSources', () => {
  test('reads a mounted file in the place of the variable, without its last newline', async () => {
    const { env, problems } = await resolveSources({ TGEFD_JWT_SECRET_FILE: '/run/secrets/jwt' }, sources);
    expect(env).toEqual({ TGEFD_JWT_SECRET: 'a secret of more than 32 bytes, indeed' });
    expect(problems).toEqual([]);
  });

  test('reads the previous value from a file too', async () => {
    const { env } = await resolveSources(
      { TGEFD_JWT_SECRET: 'new', TGEFD_JWT_SECRET_PREVIOUS_FILE: '/run/secrets/old' },
      sources,
    );
    expect(env).toEqual({
      TGEFD_JWT_SECRET: 'new',
      TGEFD_JWT_SECRET_PREVIOUS: 'the one before, also long enough to pass',
    });
  });

  test('an empty previous value from a file is none', async () => {
    const { env, problems } = await resolveSources(
      { TGEFD_JWT_SECRET: 'new', TGEFD_JWT_SECRET_PREVIOUS_FILE: '/run/secrets/none' },
      { ...sources, file: async () => '\n' },
    );
    expect([env, problems]).toEqual([{ TGEFD_JWT_SECRET: 'new' }, []]);
  });

  test('a file that cannot be read is a problem, never an absent secret', async () => {
    const { env, problems } = await resolveSources({ TGEFD_API_KEY_FILE: '/nowhere' }, sources);
    expect(problems).toEqual([
      { variable: 'TGEFD_API_KEY_FILE', found: 'no such file', accepted: 'a secret that can be read' },
    ]);
    expect(env).not.toHaveProperty('TGEFD_API_KEY');
  });

  test('a value and a file together are a problem', async () => {
    const { problems } = await resolveSources({ TGEFD_API_KEY: 'k', TGEFD_API_KEY_FILE: '/run/secrets/jwt' }, sources);
    expect(problems.map(({ variable }) => variable)).toEqual(['TGEFD_API_KEY_FILE']);
  });

  test('a reference is read from its store; a value that only looks like one is kept', async () => {
    const { env, accesses } = await resolveSources(
      { TGEFD_JWT_SECRET: 'vault:kv/tgefd#jwt', TGEFD_INGRESS_SECRET: 'other:value' },
      sources,
    );
    expect(env).toEqual({ TGEFD_JWT_SECRET: 'from the vault: kv/tgefd#jwt', TGEFD_INGRESS_SECRET: 'other:value' });
    expect(accesses).toEqual([{ variable: 'TGEFD_JWT_SECRET', source: 'vault', ok: true }]);
  });

  test.each(['aws-sm:name#field', 'cf:BINDING'])(
    'a reference %s whose store is not here is never the secret',
    async (text) => {
      const { env, problems } = await resolveSources({ TGEFD_JWT_SECRET: text }, sources);
      expect(env).toEqual({});
      expect(problems.map(({ variable }) => variable)).toEqual(['TGEFD_JWT_SECRET']);
    },
  );

  test('where there are no files, a path is a problem', async () => {
    const { problems } = await resolveSources({ TGEFD_API_KEY_FILE: '/x' }, { ...sources, file: null });
    expect(problems).toHaveLength(1);
  });
});
