import { describe, expect, test } from 'vitest';
import { EgressRefused } from '../../../lib/decision/egress-refused.ts';
import { createEgress } from '../../../lib/egress/guard.ts';

function scripted(answers: Record<string, Response>) {
  const called: string[] = [];
  const fetch = async (input: string, init?: RequestInit) => {
    called.push(`${init?.method ?? 'GET'} ${input} ${init?.redirect}`);
    return answers[input] ?? new Response('ok');
  };
  const refusals: string[] = [];
  const allowedHosts = new Set(['issuer.example', '127.0.0.1:9000']);
  const settings = { allowedHosts, deadlineMs: 1000, maximumBodyBytes: 8 };
  return {
    called,
    refusals,
    egress: createEgress(settings, fetch, ({ host, why }) => refusals.push(`${host} ${why}`)),
  };
}
function redirect(location: string) {
  return new Response(null, { status: 302, headers: { location } });
}

describe('egress', () => {
  test('calls what the configuration names', async () => {
    const { called, egress } = scripted({});
    expect(await (await egress('https://issuer.example/jwks')).text()).toBe('ok');
    expect(called).toEqual(['GET https://issuer.example/jwks manual']);
  });

  test.each([
    ['another host', 'https://evil.example/'],
    ['another port', 'https://issuer.example:8443/'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data'],
    ['another scheme', 'file:///etc/passwd'],
    ['user information', 'https://issuer.example@evil.example/'],
    ['user information for an allowed host', 'https://user@issuer.example/'],
  ])('never reaches %s', async (_, url) => {
    const { called, refusals, egress } = scripted({});
    await expect(egress(url)).rejects.toThrow(EgressRefused);
    expect(called).toEqual([]);
    expect(refusals).toHaveLength(1);
  });

  test.each([
    ['another host', 'https://evil.example/'],
    ['another scheme of the same host', 'http://issuer.example/'],
    ['an allowed host that was not asked', 'http://127.0.0.1:9000/'],
    ['the metadata service', 'http://169.254.169.254/'],
  ])('does not follow a redirect to %s', async (_, location) => {
    const { called, refusals, egress } = scripted({ 'https://issuer.example/jwks': redirect(location) });
    await expect(egress('https://issuer.example/jwks')).rejects.toThrow(EgressRefused);
    expect(called).toHaveLength(1);
    expect(refusals).toEqual([`${new URL(location).host} redirect to another origin`]);
  });

  test('follows a redirect within the origin, three times at most, and for GET only', async () => {
    const { called, egress } = scripted({ 'https://issuer.example/a': redirect('/b') });
    expect(await (await egress('https://issuer.example/a')).text()).toBe('ok');
    expect(called).toHaveLength(2);
    const loop = scripted({ 'https://issuer.example/a': redirect('/a') });
    await expect(loop.egress('https://issuer.example/a')).rejects.toThrow(EgressRefused);
    expect(loop.called).toHaveLength(4);
    const post = scripted({ 'https://issuer.example/a': redirect('/b') });
    await expect(post.egress('https://issuer.example/a', { method: 'POST' })).rejects.toThrow(EgressRefused);
  });

  test.each([
    ['an undeclared length', {}],
    ['a declared length that is too long', { 'content-length': '9' }],
    ['a declared length of something encoded', { 'content-length': '2', 'content-encoding': 'gzip' }],
  ])('ends a body past its bound: %s', async (_, headers) => {
    const { egress } = scripted({ 'https://issuer.example/long': new Response('123456789', { headers }) });
    await expect((await egress('https://issuer.example/long')).text()).rejects.toThrow('longer than 8 bytes');
    const fits = scripted({ 'https://issuer.example/fits': new Response('12345678', { headers: {} }) });
    expect(await (await fits.egress('https://issuer.example/fits')).text()).toBe('12345678');
  });
});
