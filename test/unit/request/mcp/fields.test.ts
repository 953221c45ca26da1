import { describe, expect, it } from 'vitest';
import type { AccessRequest } from '../../../../lib/decision/request.ts';
import { hasDotSegment, readMethod, readName } from '../../../../lib/request/mcp/fields.ts';
import { rawFields } from '../../../../lib/request/raw-fields.ts';

type Part = Partial<AccessRequest>;
function request(fields: readonly string[], part: Part = {}): AccessRequest {
  const hop = { peerAddress: null, secure: true, certificate: null };
  return { door: 'gateway', method: 'POST', target: '/mcp', headers: rawFields(fields), hop, ...part };
}
const joined = (fields: Record<string, string>, part: Part = {}) =>
  request([], { headers: new Headers(fields), ...part });
const refused = (field: string, problem: string) => ({ reason: 'mcp_field_invalid', field, problem });

describe('the name of a message', () => {
  it.each([
    ['get_weather', 'get_weather'],
    ['file:///projects/my%20app/config.json', 'file:///projects/my%20app/config.json'],
    ['with a space', 'with a space'],
    ['=?base64?SGVsbG8sIOS4lueVjA==?=', 'Hello, 世界'],
    ['=?base64?IHBhZGRlZCA=?=', ' padded '],
    ['=?base64?bGluZTEKbGluZTI=?=', 'line1\nline2'],
    ['=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=', '=?base64?literal?='],
    ['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
    ['SGVsbG8=?=', 'SGVsbG8=?='],
    ['=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
  ])('is read from `%s`', (value, name) => {
    expect(readName(request(['Mcp-Name', value]))).toBe(name);
  });

  it.each([
    ['without its padding', '=?base64?SGVsbG8?='],
    ['with characters of no alphabet', '=?base64?SGVs!!!bG8=?='],
    ['in base64url', '=?base64?8J-Ygg==?='],
    ['with bits after its last byte', '=?base64?SGVsbG9=?='],
    ['of bytes that are no UTF-8', '=?base64?/w==?='],
    ['with white space inside', '=?base64?SGVs bG8=?='],
    ['unencoded, beyond ASCII', 'w\u00e9ather'],
    ['with a control character', 'a\u0001b'],
  ])('is refused %s', (_, value) => {
    expect(readName(request(['Mcp-Name', value]))).toEqual(refused('mcp-name', 'malformed'));
  });

  it('is refused when it is longer than 4096 characters', () => {
    expect(readName(request(['Mcp-Name', 'x'.repeat(4096)]))).toHaveLength(4096);
    expect(readName(request(['Mcp-Name', 'x'.repeat(4097)]))).toEqual(refused('mcp-name', 'too_long'));
  });

  it('is refused when its field came twice, also where repetitions arrive joined', () => {
    const repeated = refused('mcp-name', 'repeated');
    expect(readName(request(['Mcp-Name', 'a', 'mcp-name', 'a']))).toEqual(repeated);
    expect(readName(joined({ 'mcp-name': 'a, a' }))).toEqual(repeated);
    const hop = { peerAddress: null, secure: true, certificate: null, joinsFields: true } as const;
    expect(readName(joined({ 'mcp-name': 'a,a' }, { hop }))).toEqual(repeated);
  });

  it('may hold a comma where fields are counted, or where the body vouches for it', () => {
    expect(readName(request(['Mcp-Name', 'geo:1, 2']))).toBe('geo:1, 2');
    expect(readName(joined({ 'mcp-name': 'geo:1, 2' }, { readBody: async () => 'stalled' }))).toBe('geo:1, 2');
  });
});

describe('the method of a message', () => {
  it.each(['tools/call', 'server/discover', 'notifications/progress', '$/x', 'com.example/do-it'])(
    'is read as `%s`',
    (value) => {
      expect(readMethod(request(['Mcp-Method', value]))).toBe(value);
    },
  );

  it.each([
    ['missing', []],
    ['repeated', ['Mcp-Method', 'tools/call', 'Mcp-Method', 'tools/call']],
    ['repeated', ['Mcp-Method', 'tools/list, tools/call']],
    ['malformed', ['Mcp-Method', '']],
    ['malformed', ['Mcp-Method', 'tools call']],
    ['malformed', ['Mcp-Method', '=?base64?dG9vbHMvY2FsbA==?=']],
    ['malformed', ['Mcp-Method', 'tools/c\u00e4ll']],
    ['too_long', ['Mcp-Method', 'x'.repeat(129)]],
  ])('is refused as %s', (problem, fields) => {
    expect(readMethod(request(fields))).toEqual(refused('mcp-method', problem));
  });
});

describe('a dot segment in a name', () => {
  it.each([
    'file:///public/../secret',
    'file:///public/%2E%2e/secret',
    'a\\..\\b',
    '..',
    './x',
    'file:///a/.',
    'file:///a/..?x',
  ])('is found in `%s`', (name) => {
    expect(hasDotSegment(name)).toBe(true);
  });

  it.each(['file:///a/.config', 'v1.2', 'a..b', 'file:///a/...', 'delete_user'])('is not found in `%s`', (name) => {
    expect(hasDotSegment(name)).toBe(false);
  });
});
