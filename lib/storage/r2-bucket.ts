import type { Fetch } from '../decision/ports.ts';
import { type Aspect, createManagedBucket, type ManagedBucket } from './bucket.ts';
import { r2Lifecycle, r2Locks, type TierAges } from './lifecycle.ts';

export interface R2BucketSettings {
  readonly accountId: string;
  /** Jurisdiction of the bucket (`eu`, `fedramp`), or null for none. */
  readonly jurisdiction?: string | null;
  /** API token that may edit R2 buckets. */
  readonly apiToken: string;
  readonly bucket: string;
  /** Prefix of every object, with its slash, or empty. */
  readonly prefix: string;
  readonly ages: TierAges;
}

interface Rule {
  readonly id: string;
}

/**
 * An R2 bucket as the archive wants it, over Cloudflare's API: the lifecycle of the tiers and bucket locks. Rules of others
 * stay. R2 is encrypted and reached by TLS in any case, and closed to the public until somebody opens it, which is checked
 * and not changed. It has no versions, and who may edit the bucket can lift its locks: that right belongs to few.
 */
export function createR2Bucket(settings: R2BucketSettings, fetch: Fetch): ManagedBucket {
  const { accountId, jurisdiction = null, apiToken, bucket, prefix, ages } = settings;
  const root = `https://api.cloudflare.com/client/v4/accounts/${encodeURIComponent(accountId)}/r2/buckets/${encodeURIComponent(bucket)}`;

  const call = async (method: 'GET' | 'PUT', path: string, body?: unknown): Promise<unknown> => {
    const headers = {
      authorization: `Bearer ${apiToken}`,
      'content-type': 'application/json',
      ...(jurisdiction === null ? {} : { 'cf-r2-jurisdiction': jurisdiction }),
    };
    const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${root}${path}`, init);
    if (!response.ok) throw new Error(`${method} ${path} of bucket ${bucket}: status ${response.status}`);
    const answer: unknown = await response.json();
    return typeof answer === 'object' && answer !== null && 'result' in answer ? answer.result : null;
  };
  const rulesAt = async (path: string): Promise<readonly Rule[]> => {
    const result = await call('GET', path);
    const rules = typeof result === 'object' && result !== null && 'rules' in result ? result.rules : [];
    return Array.isArray(rules) ? rules.filter(isRule) : [];
  };

  const ruled = (name: string, path: string, rules: readonly Rule[]): Aspect => {
    const ids = new Set(rules.map(({ id }) => id));
    return {
      name,
      wanted: rules,
      read: async () => (await rulesAt(path)).filter(({ id }) => ids.has(id)),
      async write() {
        const others = (await rulesAt(path)).filter(({ id }) => !ids.has(id));
        return call('PUT', path, { rules: [...others, ...rules] });
      },
    };
  };

  return createManagedBucket([
    ruled('lifecycle', '/lifecycle', r2Lifecycle(ages, prefix)),
    ruled('bucket lock', '/lock', r2Locks(ages, prefix)),
    {
      name: 'public r2.dev address',
      wanted: false,
      async read() {
        const managed = await call('GET', '/domains/managed');
        return typeof managed === 'object' && managed !== null && 'enabled' in managed ? managed.enabled : false;
      },
      write: null,
    },
  ]);
}

function isRule(value: unknown): value is Rule {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}
