/** Where a bucket is named in a request: in the path, or in the host. */
export type Addressing = 'path' | 'virtual';

/**
 * The URL of a bucket, without a slash at its end; a path of the endpoint stays in front.
 *
 * @param endpoint - the endpoint of the store.
 * @param bucket - the bucket.
 * @param addressing - where the bucket is named.
 * @returns the URL to which `/` and a key are appended.
 */
export function bucketUrl(endpoint: URL, bucket: string, addressing: Addressing): string {
  const base = endpoint.pathname.replace(/\/+$/, '');
  if (addressing === 'virtual') return `${endpoint.protocol}//${bucket}.${endpoint.host}${base}`;
  return `${endpoint.origin}${base}/${bucket}`;
}

const R2_HOST = /^([0-9a-z]+)(?:\.([a-z]+))?\.r2\.cloudflarestorage\.com$/;

/** The account and the jurisdiction (`eu`, `fedramp`) that the host of an R2 endpoint names, or null for another store. */
export function r2Place(
  endpoint: URL | null,
): { readonly accountId: string; readonly jurisdiction: string | null } | null {
  const [, accountId, jurisdiction] = R2_HOST.exec(endpoint?.hostname ?? '') ?? [];
  return accountId === undefined ? null : { accountId, jurisdiction: jurisdiction ?? null };
}

/** Google's S3 face has no conditional PUT. */
const WITHOUT_CONDITIONS = new Set(['storage.googleapis.com']);

/** Whether a store is known to honour `If-None-Match: *` on a PUT, as long as nobody says otherwise. */
export function hasConditionalWrites(endpoint: URL | null): boolean {
  return endpoint === null || !WITHOUT_CONDITIONS.has(endpoint.hostname);
}
