import { describe, expect, it } from 'vitest';
import { matchesTarget } from '../../../../lib/authenticate/dpop/target-uri.ts';
import { canonicalTarget } from '../../../../lib/request/path.ts';

function canonicalPath(target: string): string | null {
  const canonical = canonicalTarget(target);
  return canonical.ok ? canonical.path : null;
}

const target = { secure: true, host: 'api.example.com', path: '/v1/jobs/42' };
function matches(htu: string, changes: Partial<typeof target> | { secure: null } = {}) {
  return matchesTarget(htu, { ...target, ...changes }, canonicalPath);
}

describe('the URI of a proof', () => {
  it.each([
    'https://api.example.com/v1/jobs/42',
    'https://api.example.com/v1/jobs/42?page=2',
    'https://api.example.com/v1/jobs/42#part',
    'https://api.example.com/v1/jobs/42?page=2#part',
    'HTTPS://API.Example.COM/v1/jobs/42',
    'https://api.example.com:443/v1/jobs/42',
    'https://api.example.com:/v1/jobs/42',
    'https://api.example.com/v1/%6Aobs/42',
  ])('matches as `%s`', (htu) => {
    expect(matches(htu)).toBe(true);
  });

  it.each([
    '',
    '/v1/jobs/42',
    '//api.example.com/v1/jobs/42',
    'http://api.example.com/v1/jobs/42',
    'https://api.example.com/v1/jobs/42/',
    'https://api.example.com/V1/jobs/42',
    'https://api.example.com/v1//jobs/42',
    'https://api.example.com/v1/../v1/jobs/42',
    'https://api.example.com/v1/jobs%2F42',
    'https://api.example.com/v1/jobs;x/42',
    'https://api.example.com:8443/v1/jobs/42',
    'https://api.example.com:80/v1/jobs/42',
    'https://api.example.com.evil.example/v1/jobs/42',
    'https://user@api.example.com/v1/jobs/42',
    'https://api.example.com\\v1\\jobs\\42',
    'https://evil.example/?https://api.example.com/v1/jobs/42',
    ' https://api.example.com/v1/jobs/42',
    'https://api.example.com /v1/jobs/42',
    'ftp://api.example.com/v1/jobs/42',
  ])('does not match as `%s`', (htu) => {
    expect(matches(htu)).toBe(false);
  });

  it('has the port that is not the default one', () => {
    const host = '127.0.0.1:8080';
    expect(matches('http://127.0.0.1:8080/v1/jobs/42', { secure: false, host })).toBe(true);
    expect(matches('http://127.0.0.1/v1/jobs/42', { secure: false, host })).toBe(false);
    expect(matches('https://[::1]:8443/v1/jobs/42', { host: '[::1]:8443' })).toBe(true);
  });

  it('may have either scheme where nobody tells about the connection', () => {
    expect(matches('https://api.example.com/v1/jobs/42', { secure: null })).toBe(true);
    expect(matches('http://api.example.com:80/v1/jobs/42', { secure: null })).toBe(true);
    expect(matches('http://api.example.com:443/v1/jobs/42', { secure: null })).toBe(false);
    expect(matches('ftp://api.example.com/v1/jobs/42', { secure: null })).toBe(false);
  });

  it('may leave out an empty path', () => {
    expect(matches('https://api.example.com', { path: '/' })).toBe(true);
    expect(matches('https://api.example.com?x=1', { path: '/' })).toBe(true);
  });
});
