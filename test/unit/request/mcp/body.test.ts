import { describe, expect, it } from 'vitest';
import { encodingFault, nameIn, readMessage } from '../../../../lib/request/mcp/body.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a' } };
const refused = (problem: string) => ({ reason: 'mcp_body_invalid', problem });

describe('the body of a message', () => {
  it('tells method, name and version', () => {
    const params = { name: 'a', _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } };
    const body = readMessage(bytes(JSON.stringify({ ...message, params })));
    expect(body).toMatchObject({ method: 'tools/call', version: '2026-07-28' });
    expect('params' in body && nameIn(body, 'name')).toBe('a');
  });

  it('may nest arguments 60 levels deep', () => {
    const deep = `${'['.repeat(60)}${']'.repeat(60)}`;
    expect(readMessage(bytes(`{"method":"x","params":{"a":${deep}}}`))).toMatchObject({ method: 'x' });
  });

  it.each([
    ['is empty', ''],
    ['is no JSON', '{"method":'],
    ['is a batch', `[${JSON.stringify(message)}]`],
    ['has the method twice', '{"method":"tools/list","method":"tools/call"}'],
    ['has the method twice, once escaped', '{"method":"tools/list","\\u006dethod":"tools/call"}'],
    ['has the name twice', '{"method":"tools/call","params":{"name":"a","name":"b"}}'],
    ['has a second method in another letter case', '{"method":"tools/list","Method":"tools/call"}'],
    ['has only a method in another letter case', '{"METHOD":"tools/call"}'],
    ['has a second params with a long s', '{"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"b"}}'],
    ['has a second name in another letter case', '{"method":"tools/call","params":{"name":"a","NAME":"b"}}'],
    ['nests deeper than 64 levels', `{"method":"x","params":{"a":${'['.repeat(70)}${']'.repeat(70)}}}`],
    ['begins with a byte order mark', '\ufeff{"method":"x"}'],
  ])('is refused when it %s', (_, text) => {
    expect(readMessage(bytes(text))).toEqual(refused('json'));
  });

  it('is refused when it is no UTF-8', () => {
    expect(readMessage(new Uint8Array([0x7b, 0xff, 0x7d]))).toEqual(refused('json'));
  });

  it.each([
    ['has no method and no result', '{"jsonrpc":"2.0","id":1}'],
    ['has a method that is no text', '{"method":7}'],
    ['has params that are a list', '{"method":"tools/call","params":["a"]}'],
    [
      'has a version that is no text',
      '{"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":1}}}',
    ],
  ])('is refused when it %s', (_, text) => {
    expect(readMessage(bytes(text))).toEqual(refused('message'));
  });

  it('has no name when several members could be one', () => {
    const body = readMessage(bytes('{"method":"x/y","params":{"name":"a","uri":"b"}}'));
    expect('params' in body && nameIn(body, null)).toBeNull();
  });
});

describe('the encoding of a body', () => {
  it.each([
    ['compressed', { 'content-encoding': 'gzip' }],
    ['in UTF-7', { 'content-type': 'application/json; charset=utf-7' }],
    ['in UTF-16', { 'content-type': 'application/json;charset="UTF-16"' }],
    ['in UTF-8 and UTF-7', { 'content-type': 'application/json; charset=utf-8; charset=utf-7' }],
  ])('is refused when it is %s', (_, fields) => {
    expect(encodingFault(new Headers(fields as Record<string, string>))).toEqual(refused('encoding'));
  });

  it.each([
    {},
    { 'content-type': 'application/json' },
    { 'content-type': 'application/json; Charset=UTF-8', 'content-encoding': 'Identity' },
  ])('passes as %o', (fields) => {
    expect(encodingFault(new Headers(fields as Record<string, string>))).toBeNull();
  });
});
