import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { posture } from '../../../lib/config/posture/posture.ts';
import { problemLine } from '../../../lib/config/problem.ts';

const environment = {
  TGEFD_ENV: 'development',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:3000',
  TGEFD_AUTH_MODE: 'jwt,mtls',
  TGEFD_JWKS_URL: 'http://127.0.0.1:4000/jwks',
  TGEFD_JWT_ISSUER: 'https://issuer.example',
};
const row = { method: 'POST', path: '/mcp', scope: null, budget: 'none' };
const call = { ...row, mcp: { method: 'tools/call' } };

function load(rows: readonly object[], env: Record<string, string> = {}, platform: 'node' | 'lambda' = 'node') {
  const place = { platform, role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
  return loadConfig({ ...environment, TGEFD_ENDPOINTS: JSON.stringify(rows), ...env }, place);
}
function problemsOf(...question: Parameters<typeof load>) {
  const loaded = load(...question);
  return loaded.ok ? '' : loaded.problems.map(problemLine).join('\n');
}

describe('rows of messages', () => {
  it('of one path differ by method and name of their messages', () => {
    expect(problemsOf([call, { ...row, mcp: { method: 'tools/call', name: 'delete_*' } }, row])).toBe('');
    expect(problemsOf([call, call])).toContain('row 2: matches the same requests as row 1');
  });

  it.each([
    ['another method than POST', { ...call, method: 'GET' }, 'messages come by POST only'],
    ['a star inside', { ...row, mcp: { method: 'tools/*/x' } }, '`*` only at its end'],
    ['no method', { ...row, mcp: { name: 'x' } }, '"mcp" must be'],
    ['an unknown member', { ...row, mcp: { method: 'x', tool: 'y' } }, '"mcp" must be'],
    ['an empty name', { ...row, mcp: { method: 'x', name: '' } }, '"mcp" must be'],
  ])('are invalid with %s', (_, written, problem) => {
    expect(problemsOf([written])).toContain(problem);
  });

  it('are demanded by TGEFD_MCP_LEGACY, and then agree about credentials', () => {
    const legacy = { TGEFD_MCP_LEGACY: 'true' };
    expect(problemsOf([row], legacy)).toContain('TGEFD_MCP_LEGACY');
    expect(problemsOf([call], legacy)).toBe('');
    expect(problemsOf([call, { ...row, auth: 'mtls' }], legacy)).toContain('another "auth"');
    expect(problemsOf([call, { ...row, auth: 'mtls' }])).toBe('');
  });

  it('allow no answers that API Gateway keeps, and no earlier revisions there', () => {
    expect(problemsOf([call], { TGEFD_AUTHORIZER_TTL_SEC: '60' }, 'lambda')).toContain('TGEFD_AUTHORIZER_TTL_SEC');
    expect(problemsOf([call], { TGEFD_MCP_LEGACY: 'true' }, 'lambda')).toContain('TGEFD_MCP_LEGACY');
  });

  it('are told by the posture where nobody sees the body', () => {
    const told = (env: Record<string, string>) => {
      const loaded = load([call], env);
      return loaded.ok ? posture(loaded.config).map(({ text }) => text) : [];
    };
    const unseen = expect.stringContaining('sends no body');
    expect(told({})).not.toContainEqual(unseen);
    const forward = { TGEFD_FORWARD_AUTH: 'nginx', TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' };
    expect(told(forward)).toContainEqual(unseen);
  });
});
