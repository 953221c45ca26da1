import { describe, expect, it } from 'vitest';
import { mostSpecificFirst, needsName, rowFor } from '../../../lib/decision/message.ts';
import type { Endpoint } from '../../../lib/decision/request.ts';

function row(action: string, method?: string, name: string | null = null): Endpoint {
  const mcp = method === undefined ? {} : { mcp: { method, name } };
  return { action, method: 'POST', pattern: '/mcp', scope: null, budget: 'none', own: false, ...mcp };
}

const rows = mostSpecificFirst([
  row('rest'),
  row('any'.concat('_tool'), 'tools/call'),
  row('every_tools', 'tools/*'),
  row('delete', 'tools/call', 'delete_*'),
  row('delete_all', 'tools/call', 'delete_all'),
  row('delete_user', 'tools/call', 'delete_user_*'),
  row('named_prompt', 'prompts/*', 'x*'),
]);
const chosen = (method: string, name: string | null = null, among = rows) => {
  const route = rowFor(among, { method, name });
  return route.found === 'endpoint' ? route.endpoint.action : route.found;
};

describe('the row of a message', () => {
  it.each([
    ['tools/call', 'delete_all', 'delete_all'],
    ['tools/call', 'delete_user_7', 'delete_user'],
    ['tools/call', 'delete_group', 'delete'],
    ['tools/call', 'DELETE_all', 'any_tool'],
    ['tools/call', 'read', 'any_tool'],
    ['tools/list', null, 'every_tools'],
    ['tools/', null, 'every_tools'],
    ['TOOLS/CALL', 'read', 'rest'],
    ['server/discover', null, 'rest'],
  ])('of %s %s is the most specific one', (method, name, action) => {
    expect(chosen(method, name)).toBe(action);
  });

  it('is none where no row covers the message', () => {
    const without = rows.filter(({ mcp }) => mcp !== undefined);
    expect(chosen('server/discover', null, without)).toBe('nothing');
  });

  it('needs a name where MCP demands one, or a row decides by it', () => {
    expect(needsName('resources/read', [])).toBe(true);
    expect(needsName('prompts/list', rows)).toBe(true);
    expect(needsName('tools/list', rows)).toBe(false);
  });
});
