import { expect, test } from 'vitest';
import { asksSlotTable, isUsable } from '../../../../../lib/platform/node/redis-tcp/cluster-replies.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const node = '*3\r\n$9\r\n127.0.0.1\r\n:6379\r\n$2\r\nid\r\n';

test.each([
  ['*2\r\n$7\r\ncluster\r\n$5\r\nSLOTS\r\n', true],
  ['*2\r\n$7\r\nCLUSTER\r\n$5\r\nslots\r\n', true],
  ['*2\r\n$7\r\ncluster\r\n$4\r\nINFO\r\n', false],
  ['*1\r\n$4\r\nPING\r\n', false],
])('%j asks for the table of slots: %s', (command, isAsked) => {
  expect(asksSlotTable(command)).toBe(isAsked);
  expect(asksSlotTable(bytes(command))).toBe(isAsked);
});

test.each([
  ['a table', `*1\r\n*3\r\n:0\r\n:16383\r\n${node}`, true],
  ['a range with a replica', `*1\r\n*4\r\n:0\r\n:5\r\n${node}${node}`, true],
  ['a node without a name', '*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$-1\r\n:6379\r\n', true],
  ['an empty table', '*0\r\n', true],
  ['an error', '-ERR no\r\n', true],
  ['null', '$-1\r\n', false],
  ['a null array', '*-1\r\n', false],
  ['a string', '+OK\r\n', false],
  ['a number', ':5\r\n', false],
  ['null as a range', '*1\r\n$-1\r\n', false],
  ['null as a node', '*1\r\n*3\r\n:0\r\n:5\r\n$-1\r\n', false],
  ['a number as a node', '*1\r\n*3\r\n:0\r\n:5\r\n:7\r\n', false],
  ['null as a port', '*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\nx\r\n$-1\r\n', false],
  ['slots without end', '*1\r\n*2\r\n:0\r\n:99999999999\r\n', false],
  ['words as slots', '*1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n', false],
  ['a table of a megabyte', `*1\r\n$1048577\r\n${'a'.repeat(1_048_577)}\r\n`, false],
])('%s as the table of slots is usable: %s', (_what, reply, isGood) => {
  expect(isUsable(bytes(reply), true)).toBe(isGood);
});

test.each([
  ['-MOVED 16383 127.0.0.1:6379\r\n', true],
  ['-ASK 1 ::1:6379\r\n', true],
  ['-MOVED 1 :6379\r\n', true],
  ['-ERR no\r\n', true],
  ['-MOVEDX\r\n', true],
  ['$-1\r\n', true],
  ['-MOVED\r\n', false],
  ['-MOVED 1\r\n', false],
  ['-MOVED 1 x\r\n', false],
  ['-MOVED 16384 x:1\r\n', false],
  ['-MOVED __proto__ x:1\r\n', false],
  ['-ASK\r\n', false],
  ['-ASK 1\r\n', false],
  ['-ASK 1 x\r\n', false],
])('%j as a reply of a cluster is usable: %s', (reply, isGood) => {
  expect(isUsable(bytes(reply), false)).toBe(isGood);
});
