import { expect, test } from 'vitest';
import { idleOptions } from '../../../../lib/adapter/node/idle/idle.ts';

test('how long a request takes as a whole is not limited, however long its body is', () => {
  expect(idleOptions(60_000)).toEqual({
    headersTimeout: 60_000,
    requestTimeout: 0,
    connectionsCheckingInterval: 15_000,
  });
});
