import { expect, test } from 'vitest';
import { connectorOf, type Library } from '../../../../../lib/platform/node/redis-tcp/connector.ts';

const library = { AbstractConnector: class {} } as unknown as Library;
const never = () => Promise.reject(new Error('not asked'));

test.each([
  ['a primary', { role: 'master' }, true],
  ['a replica', { role: 'slave' }, false],
  ['no role', {}, true],
  ['nothing at all', null, true],
])('where only a primary will do, a server that tells %s is judged', (_what, info, isKept) => {
  const Connector = connectorOf(library, never, never, true);
  expect(new Connector({}).check(info as never)).toBe(isKept);
});
