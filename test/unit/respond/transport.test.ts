import { expect, test } from 'vitest';
import { createTransportFields } from '../../../lib/respond/transport.ts';

test.each([
  ['production', true, 1],
  ['production', false, 0],
  ['production', null, 0],
  ['development', true, 0],
] as const)('in %s, with a connection that is TLS: %s', (environment, secure, fields) => {
  expect(createTransportFields(environment === 'production')(secure)).toHaveLength(fields);
});
