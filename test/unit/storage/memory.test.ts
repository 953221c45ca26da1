import { describe } from 'vitest';
import { createMemoryObjectStore } from '../../../lib/storage/memory.ts';
import { storeContract } from '../../contract/store-suite.ts';

describe('object storage in memory', () => {
  storeContract(async () => ({ store: createMemoryObjectStore(), prefix: 'test' }));
});
