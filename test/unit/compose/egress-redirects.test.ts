import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { composeEgress, createEgressWatch } from '../../../lib/egress/watch.ts';
import { cloudCredentials } from '../../../lib/platform/cloud/credentials.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
let key: string;
beforeAll(async () => {
  key = JSON.stringify(await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey));
});

const clouds = {
  'the token service of AWS': {
    TGEFD_AUDIT_S3_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com',
    TGEFD_AUDIT_S3_REGION: 'eu-central-1',
    TGEFD_AUDIT_S3_ROLE_ARN: 'arn:aws:iam::123456789012:role/audit',
  },
  'the token service of Google': {
    TGEFD_AUDIT_S3_ENDPOINT: 'https://storage.googleapis.com',
    TGEFD_AUDIT_GCS_PROVIDER:
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/edge',
  },
};

describe.each(Object.entries(clouds))('%s, asked for credentials with a token of ours', (_, env) => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://127.0.0.1:1/',
    'https://evil.example/',
    'file:///etc/passwd',
    '/elsewhere',
  ])('sends it nowhere by a redirect: %s', async (location) => {
    const loaded = loadConfig(
      {
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'none',
        TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1',
        TGEFD_ISSUER_URL: 'https://api.example.com/_authorizer',
        TGEFD_ASSERTION_KEY: key,
        TGEFD_AUDIT_BUCKET: 'records',
        ...env,
      },
      place,
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const asked: string[] = [];
    const told: unknown[] = [];
    const watch = createEgressWatch((_level, event) => void told.push(event));
    const fetch = composeEgress(loaded.config.settings, {
      fetch: async (input) => {
        asked.push(new URL(input).host);
        return new Response(null, { status: 307, headers: { location } });
      },
      watch,
    });
    const cloud = cloudCredentials(loaded.config, {
      fetch,
      clock: () => Date.now(),
      newId: () => 'id',
      sharePromises: true,
    });
    await expect(cloud?.cloud === 'aws' ? cloud.credentials() : cloud?.accessToken()).rejects.toThrow();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^sts\./);
    expect([watch.count(), told]).toEqual([1, ['egress_refused']]);
  });
});
