import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFolderStore } from '../../lib/platform/node/files/folder-store.ts';
import { storeContract } from './store-suite.ts';

describe('a folder as object storage', () => {
  let folder: string;
  let prefixes = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tgefd-folder-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  storeContract(async () => ({ store: createFolderStore(folder), prefix: `test-${++prefixes}` }));

  test.each(['../outside', 'a/../../outside', '/etc/passwd', 'a//b'])(
    'a key never leaves the folder (%s)',
    async (key) => {
      await expect(createFolderStore(folder).read(key, 10)).rejects.toThrow(RangeError);
      await expect(createFolderStore(folder).create(key, new Uint8Array(1), '')).rejects.toThrow(RangeError);
    },
  );
});
