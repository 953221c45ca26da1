import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plaintextSecrets } from '../support/plaintext-secrets.ts';

const ROOT = dirname(dirname(import.meta.dirname));

/** Everything that is deployed, or from which something is: what is in the tree, and templates where they were made. */
const deployed = execFileSync(
  'git',
  ['ls-files', 'infra', 'docs', 'functions', 'lib', '*.toml', 'Dockerfile*', '.ci', '*.json', 'README.md'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => path !== '' && !path.endsWith('package-lock.json') && existsSync(join(ROOT, path)));
const templates = join('infra', 'aws', 'cdk.out');
const synthesised = existsSync(join(ROOT, templates))
  ? readdirSync(join(ROOT, templates))
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(templates, name))
  : [];

describe('no secret in plain sight', () => {
  test('the scan sees the tree', () => {
    expect(deployed).toEqual(
      expect.arrayContaining(['wrangler.toml', 'infra/kubernetes/base/secrets.yaml', 'Dockerfile']),
    );
  });

  test.each([...deployed, ...synthesised])('%s', (path) => {
    expect(plaintextSecrets(readFileSync(join(ROOT, path), 'utf8'))).toEqual([]);
  });
});

const random = 'p6n0Jw7mXQz1yB3kT8vR2cL5hF9dS4gA';

describe('the scan finds', () => {
  test.each([
    ['a line of an env file', `TGEFD_REDIS_TOKEN=${random}`],
    ['an alias', `UPSTASH_REDIS_REST_TOKEN=${random}`],
    ['a previous value', `TGEFD_JWT_SECRET_PREVIOUS="${random}"`],
    ['a mapping of YAML', `  TGEFD_JWT_SECRET: ${random}`],
    ['an entry of a container', `- name: TGEFD_API_KEY\n  value: ${random}`],
    ['a variable of wrangler', `[vars]\nTGEFD_INGRESS_SECRET = "${random}"`],
    ['a property of a template', `"Variables":{"TGEFD_AUDIT_PSEUDONYM_KEY":"${random}"}`],
    ['a private JWK', `{"kty":"OKP","d":"${random}${random}"}`],
    ['a private JWK inside a string', `"{\\"kty\\":\\"OKP\\",\\"d\\":\\"${random}${random}\\"}"`],
    ['a private key', '-----BEGIN EC PRIVATE KEY-----'],
    ['an access key', `key: AKIA${'A1'.repeat(8)}`],
    ['a password in a URL', 'https://user:hunter2@redis.example'],
    ['a Secret of Kubernetes', 'kind: Secret\nstringData:\n  a: b'],
  ])('%s', (_, text) => {
    expect(plaintextSecrets(text)).not.toEqual([]);
  });

  test.each([
    'TGEFD_REDIS_TOKEN_FILE=/run/secrets/redis',
    'TGEFD_REDIS_TOKEN=vault:kv/tgefd#redis',
    '"TGEFD_REDIS_TOKEN":"aws-sm:tgefd/redis#current"',
    'TGEFD_JWT_SECRET = "cf:JWT"',
    'TGEFD_JWT_SECRET: $' + '{{ secrets.JWT }}',
    'TGEFD_JWT_SECRET="$(cat jwt)"',
    '- name: TGEFD_JWT_SECRET\n  valueFrom: { secretKeyRef: { name: x, key: y } }',
    'kind: ExternalSecret\ndata:\n  - secretKey: x',
    '`TGEFD_JWT_SECRET` is for development.',
  ])('nothing in %j', (text) => {
    expect(plaintextSecrets(text)).toEqual([]);
  });
});
