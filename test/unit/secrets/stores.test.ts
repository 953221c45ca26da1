import { describe, expect, test } from 'vitest';
import type { Fetch } from '../../../lib/decision/ports.ts';
import { createExtensionSecrets } from '../../../lib/secrets/aws-extension.ts';
import { createCloudflareSecrets } from '../../../lib/secrets/cloudflare-store.ts';

const document = '{"current":"new","previous":"old"}';

function extension(fetch: Fetch) {
  return createExtensionSecrets(
    { origin: 'http://127.0.0.1:2773', token: 'session', timeoutMs: 100 },
    { fetch, stopwatch: () => 0 },
  );
}
function answering(answer: (url: URL, headers: Headers) => Response): Fetch {
  return async (input, init) => answer(new URL(input), new Headers(init?.headers));
}
const bindings = {
  STORED: { get: async () => document },
  BROKEN: { get: () => Promise.reject(new Error('the value is hunter2')) },
  R2_BUCKET: {
    get: (...keys: string[]) => {
      if (keys.length === 0) throw new TypeError('a key is missing');
    },
  },
  TEXT: 'hunter2',
};

/** What every store of secrets promises, whatever is behind it. */
describe.each([
  ['AWS extension', extension(answering(() => Response.json({ SecretString: document }))), 'tgefd/jwt'],
  ['Secrets Store', createCloudflareSecrets(bindings, () => 0), 'STORED'],
])('%s', (_, read, name) => {
  test('gives the whole secret, or one field', async () => {
    expect(await read(name)).toBe(document);
    expect(await read(`${name}#current`)).toBe('new');
    expect(await read(`${name}#previous`)).toBe('old');
  });

  test.each(['toString', '__proto__', 'nothing'])('has no field %s', async (field) => {
    await expect(read(`${name}#${field}`)).rejects.toThrow('a secret without the field asked for');
  });

  test('has no secret without a name', async () => {
    await expect(read('#current')).rejects.toThrow('a reference without a name');
  });
});

describe('the AWS extension', () => {
  test('is asked by name with the token of the function', async () => {
    const asked: (string | null)[] = [];
    const read = extension(
      answering((url, headers) => {
        asked.push(url.searchParams.get('secretId'), headers.get('x-aws-parameters-secrets-token'));
        return Response.json({ SecretString: 'value' });
      }),
    );
    expect(await read('arn:aws:secretsmanager:eu-west-1:1:secret:a/b')).toBe('value');
    expect(asked).toEqual(['arn:aws:secretsmanager:eu-west-1:1:secret:a/b', 'session']);
  });

  test.each([
    ['a refusal', answering(() => new Response('hunter2', { status: 400 })), 'status 400 from the secrets extension'],
    ['no JSON', answering(() => new Response('hunter2')), 'an answer without a secret string'],
    [
      'a binary secret',
      answering(() => Response.json({ SecretBinary: 'hunter2' })),
      'an answer without a secret string',
    ],
    ['nobody', async () => Promise.reject(new Error('hunter2')), 'no answer from the secrets extension'],
  ] as const)('%s is told without what was answered', async (_, fetch, message) => {
    await expect(extension(fetch)('name')).rejects.toThrow(message);
  });
});

describe('Cloudflare’s Secrets Store', () => {
  test.each([
    ['no binding', 'NOTHING', 'a reference to no binding of the Secrets Store'],
    ['a text', 'TEXT', 'a reference to no binding of the Secrets Store'],
    ['a binding of another kind', 'R2_BUCKET', 'no answer from the Secrets Store'],
    ['an inherited name', 'constructor', 'a reference to no binding of the Secrets Store'],
    ['a store that fails', 'BROKEN', 'no answer from the Secrets Store'],
  ])('%s is told without a value', async (_, name, message) => {
    await expect(createCloudflareSecrets(bindings, () => 0)(name)).rejects.toThrow(message);
  });
});
