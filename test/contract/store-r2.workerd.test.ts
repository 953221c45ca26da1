import { env } from 'cloudflare:test';
import { describe, expect, test } from 'vitest';
import { createR2Store, type R2Binding } from '../../lib/storage/r2.ts';
import { storeContract } from './store-suite.ts';

const bucket = env.AUDIT_BUCKET as R2Binding;
let prefixes = 0;

describe('object storage over the R2 binding, inside workerd', () => {
  storeContract(async () => ({ store: createR2Store(bucket), prefix: `test-${++prefixes}` }));

  test('sends the content’s SHA-256 along, which R2 checks', async () => {
    let sent: unknown;
    const watching: R2Binding = {
      put(key, value, options) {
        sent = options.sha256;
        return bucket.put(key, new Uint8Array([...value, 1]), options);
      },
      get: (key, options) => bucket.get(key, options),
      list: (options) => bucket.list(options),
      delete: (key) => bucket.delete(key),
    };
    const content = new TextEncoder().encode('content');
    await expect(createR2Store(watching).create(`test-${++prefixes}/a`, content, 'text/plain')).rejects.toThrow();
    expect(new Uint8Array(sent as ArrayBuffer)).toEqual(new Uint8Array(await crypto.subtle.digest('SHA-256', content)));
  });
});
