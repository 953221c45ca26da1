import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { LeanMessage } from '../../../../lib/adapter/node/lean-message.ts';

function message(...rawHeaders: string[]): LeanMessage {
  const made = new LeanMessage(new Socket());
  // As Node's parser hands them over.
  (made as unknown as { _addHeaderLines(lines: string[], count: number): void })._addHeaderLines(
    rawHeaders,
    rawHeaders.length,
  );
  return made;
}

it('shows no field before somebody reads fields, and all of them then', () => {
  const made = message('Host', 'api.example.test', 'Accept', '*/*');
  expect(made.headers).toEqual({});
  made.readsFields = true;
  expect(made.headers).toEqual({ host: 'api.example.test', accept: '*/*' });
});

it.each([
  ['Expect', '100-continue'],
  ['eXPECT', '100-continue'],
  ['Upgrade', 'websocket'],
])('shows every field to a server that acts on %s', (name, value) => {
  expect(message('Host', 'api.example.test', name, value).headers).toEqual({
    host: 'api.example.test',
    [name.toLowerCase()]: value,
  });
});
