import { describe, expect, test } from 'vitest';
import { egressTargets } from '../../../lib/config/egress.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { posture } from '../../../lib/config/posture/posture.ts';
import { sharedProduction } from './event-issuers-environment.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const row = { issuer: 'https://id.example', audience: 'https://api.example/signals' };

function load(rows: unknown, env: Record<string, string> = {}, platform: 'node' | 'worker' = 'node') {
  const text = typeof rows === 'string' ? rows : JSON.stringify(rows);
  return loadConfig({ ...sharedProduction, TGEFD_EVENT_ISSUERS: text, ...env }, { ...place, platform });
}
function problemsOf(rows: unknown, env: Record<string, string> = {}, platform: 'node' | 'worker' = 'node') {
  const loaded = load(rows, env, platform);
  return loaded.ok ? [] : loaded.problems.map(({ variable }) => variable);
}

describe('transmitters of security events', () => {
  test('have defaults for everything but issuer and audience', () => {
    const loaded = load([row]);
    expect(loaded.ok && loaded.config.eventIssuers).toMatchObject([
      {
        ...{ spellings: [row.issuer], audiences: [row.audience], algorithms: ['RS256'], types: ['secevent+jwt'] },
        ...{ keys: { from: 'discovery', issuer: row.issuer }, subjectIssuers: [row.issuer] },
      },
    ]);
  });

  test('speak for issuers in the spelling by which their tokens are known', () => {
    const env = {
      TGEFD_ISSUERS: JSON.stringify([{ issuer: ['https://a.example', 'https://a.example/'], audience: 'api' }]),
    };
    const { TGEFD_JWT_ISSUER: _, TGEFD_JWT_AUDIENCE: __, ...rest } = sharedProduction;
    const rows = [{ ...row, subject_issuers: ['https://a.example/', 'https://a.example'] }];
    const loaded = loadConfig({ ...rest, ...env, TGEFD_EVENT_ISSUERS: JSON.stringify(rows) }, place);
    expect(loaded.ok && loaded.config.eventIssuers[0]?.subjectIssuers).toEqual(['https://a.example']);
  });

  test.each<[string, unknown, string]>([
    ['malformed JSON', '[{', 'TGEFD_EVENT_ISSUERS'],
    ['a member given twice', '[{"issuer":"https://id.example","issuer":"b","audience":"c"}]', 'TGEFD_EVENT_ISSUERS'],
    ['no array', row, 'TGEFD_EVENT_ISSUERS'],
    ['an empty array', [], 'TGEFD_EVENT_ISSUERS'],
    ['a row that is no object', ['x'], 'TGEFD_EVENT_ISSUERS[0]'],
    ['no issuer', [{ audience: 'a' }], 'TGEFD_EVENT_ISSUERS[0].issuer'],
    ['no audience', [{ issuer: row.issuer }], 'TGEFD_EVENT_ISSUERS[0].audience'],
    ['an unknown member', [{ ...row, subjects: 'x' }], 'TGEFD_EVENT_ISSUERS[0].subjects'],
    ['a comma in the audience', [{ ...row, audience: 'a,b' }], 'TGEFD_EVENT_ISSUERS[0].audience'],
    ['HS256', [{ ...row, algorithms: ['HS256'] }], 'TGEFD_EVENT_ISSUERS[0].algorithms'],
    ['none', [{ ...row, algorithms: 'none' }], 'TGEFD_EVENT_ISSUERS[0].algorithms'],
    ['keys over plain HTTP', [{ ...row, keys: 'http://id.example/keys' }], 'TGEFD_EVENT_ISSUERS[0].keys'],
    ['an issuer that is no URL, without keys', [{ ...row, issuer: 'id' }], 'TGEFD_EVENT_ISSUERS[0].keys'],
    [
      'inline keys for another algorithm',
      [{ ...row, keys: { jwks: { keys: [{ kty: 'EC' }] } } }],
      'TGEFD_EVENT_ISSUERS[0].keys',
    ],
    ['one issuer in two rows', [row, row], 'TGEFD_EVENT_ISSUERS[1].issuer'],
    [
      'subjects of an issuer whose tokens do not count',
      [{ ...row, subject_issuers: 'https://other.example' }],
      'TGEFD_EVENT_ISSUERS[0].subject_issuers',
    ],
  ])('are a problem with %s', (_, rows, variable) => {
    expect(problemsOf(rows)).toContain(variable);
  });

  test('cannot have their keys in a file on a Worker', () => {
    const rows = [{ ...row, keys: { file: '/keys.json' } }];
    expect(problemsOf(rows)).toEqual([]);
    expect(problemsOf(rows, {}, 'worker')).toContain('TGEFD_EVENT_ISSUERS[0].keys');
  });

  test('that speak for nobody here are told, and so are events where no token counts', () => {
    const loaded = load([{ ...row, issuer: 'https://signals.example' }]);
    expect(loaded.warnings.map(({ variable }) => variable)).toContain('TGEFD_EVENT_ISSUERS[0].subject_issuers');
  });

  test('join the places that may be called', () => {
    const loaded = load([{ ...row, keys: 'https://keys.example/jwks' }]);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    expect(egressTargets(loaded.config.settings, null).map(({ host, variable }) => `${variable} ${host}`)).toContain(
      'TGEFD_EVENT_ISSUERS[0].keys keys.example',
    );
  });

  test('stand in the posture, and a type that anything has is told as weak', () => {
    const lines = (rows: unknown) => {
      const loaded = load(rows);
      return loaded.ok ? posture(loaded.config).filter(({ text }) => text.includes('vents of')) : [];
    };
    expect(lines([row]).map(({ kind }) => kind)).toEqual(['enforced']);
    expect(lines([{ ...row, types: ['JWT'] }]).map(({ kind }) => kind)).toEqual(['enforced', 'weak']);
  });

  test('may stand in the policy document', () => {
    const policy = JSON.stringify({ event_issuers: [row] });
    const loaded = loadConfig({ ...sharedProduction, TGEFD_POLICY: policy }, place);
    expect(loaded.ok && loaded.config.eventIssuers).toHaveLength(1);
  });
});
