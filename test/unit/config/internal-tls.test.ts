import { expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';
import { internalTlsProblems } from '../../../lib/config/rules/internal-tls.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
function linesOf(names: Readonly<Record<string, string>>) {
  const env = Object.fromEntries(Object.entries(names).map(([name, value]) => [`TGEFD_INTERNAL_TLS_${name}`, value]));
  const upstream = 'https://api.internal:9000';
  const loaded = loadConfig(
    { TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'none', TGEFD_UPSTREAM_URL: upstream, ...env },
    place,
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return internalTlsProblems(loaded.config.settings).map(problemLine);
}
const pair = { CERT_FILE: '/c.pem', KEY_FILE: '/k.pem' };

test.each([
  ['nothing', {}],
  ['a pair and its host', { ...pair, HOSTS: 'api.internal:9000' }],
  ['an authority alone, the host in other letters', { CA_FILE: '/ca.pem', HOSTS: 'API.internal:9000' }],
])('hold together: %s', (_, names) => {
  expect(linesOf(names)).toEqual([]);
});

test.each([
  ['half a pair', { CERT_FILE: '/c.pem', HOSTS: 'api.internal:9000' }, 'TGEFD_INTERNAL_TLS_KEY_FILE: found nothing'],
  ['the other half', { KEY_FILE: '/k.pem' }, 'TGEFD_INTERNAL_TLS_CERT_FILE: found nothing'],
  ['files for nobody', pair, 'TGEFD_INTERNAL_TLS_HOSTS: found nothing'],
  ['hosts without files', { HOSTS: 'api.internal:9000' }, 'TGEFD_INTERNAL_TLS_HOSTS: found hosts'],
  [
    'a host that nothing calls',
    { ...pair, HOSTS: 'api.internal:9000, valut.internal' },
    'TGEFD_INTERNAL_TLS_HOSTS: found `valut.internal`',
  ],
  ['another port', { ...pair, HOSTS: 'api.internal' }, 'TGEFD_INTERNAL_TLS_HOSTS: found `api.internal`'],
])('do not hold together: %s', (_, names, told) => {
  const lines = linesOf(names);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(told);
});
