import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';
import type { Place } from '../../../lib/config/rules/check.ts';

const gateway: Place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false };
const production = {
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_UPSTREAM_URL: 'https://api.internal',
  TGEFD_JWKS_URL: 'https://issuer.example/jwks',
  TGEFD_JWT_ISSUER: 'https://issuer.example',
  TGEFD_JWT_AUDIENCE: 'tgefd',
  TGEFD_REDIS_URL: 'https://redis.example',
  TGEFD_REDIS_TOKEN: 'token',
  TGEFD_AUDIT_PSEUDONYM_KEY: 'x'.repeat(32),
};

function problems(env: Record<string, string>, place = gateway) {
  const loaded = loadConfig({ ...production, ...env }, place);
  return loaded.ok ? [] : loaded.problems.map(problemLine).filter((line) => line.startsWith('TGEFD_'));
}

describe('the console', () => {
  test('is off by default, and stands on loopback where it is on', () => {
    const loaded = loadConfig(production, gateway);
    expect(loaded.ok && loaded.config.settings).toMatchObject({
      consolePort: null,
      consoleHost: '127.0.0.1',
      consoleUrl: null,
      scopeConsole: 'console',
    });
  });

  test.each<[string, Record<string, string>]>([
    ['a port alone', { TGEFD_CONSOLE_PORT: '8081' }],
    ['a loopback address', { TGEFD_CONSOLE_PORT: '0', TGEFD_CONSOLE_HOST: '::1' }],
    [
      'every address with an origin',
      { TGEFD_CONSOLE_PORT: '8081', TGEFD_CONSOLE_HOST: '0.0.0.0', TGEFD_CONSOLE_URL: 'https://console.example' },
    ],
    ['plain HTTP on a loopback host', { TGEFD_CONSOLE_PORT: '8081', TGEFD_CONSOLE_URL: 'http://localhost:8081' }],
    ['another scope', { TGEFD_CONSOLE_PORT: '8081', TGEFD_SCOPE_CONSOLE: 'ops:look' }],
  ])('takes %s', (_name, env) => {
    expect(problems(env)).toEqual([]);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['no port number', { TGEFD_CONSOLE_PORT: '65536' }, /^TGEFD_CONSOLE_PORT: /],
    [
      'an address that others reach, without an origin',
      { TGEFD_CONSOLE_PORT: '8081', TGEFD_CONSOLE_HOST: '0.0.0.0' },
      /^TGEFD_CONSOLE_URL: found nothing; .*no loopback/,
    ],
    [
      'a name that only begins as loopback does',
      { TGEFD_CONSOLE_PORT: '8081', TGEFD_CONSOLE_HOST: '127.0.0.1.example' },
      /^TGEFD_CONSOLE_URL: found nothing/,
    ],
    ['a host without a port', { TGEFD_CONSOLE_HOST: '::1' }, /^TGEFD_CONSOLE_HOST: .*TGEFD_CONSOLE_PORT/],
    ['an origin over plain HTTP', { TGEFD_CONSOLE_URL: 'http://console.example' }, /^TGEFD_CONSOLE_URL: .*https/],
    ['an origin with a path', { TGEFD_CONSOLE_URL: 'https://console.example/ops' }, /^TGEFD_CONSOLE_URL: .*path/],
    ['an origin with a query', { TGEFD_CONSOLE_URL: 'https://console.example/?a=b' }, /^TGEFD_CONSOLE_URL: .*query/],
    ['two words as its scope', { TGEFD_SCOPE_CONSOLE: 'look at' }, /^TGEFD_SCOPE_CONSOLE: /],
  ])('refuses %s', (_name, env, problem) => {
    expect(problems(env)).toEqual([expect.stringMatching(problem)]);
  });

  test('needs its origin as a Worker of its own', () => {
    const place: Place = { platform: 'worker', role: 'console', upstreamBinding: false, bucketBinding: false };
    expect(problems({}, place)).toContainEqual(expect.stringMatching(/^TGEFD_CONSOLE_URL: found nothing; .*Worker/));
  });
});
