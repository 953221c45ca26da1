import { encodeBase64 } from '../../codec/base64url.ts';
import { hex, sha256, utf8 } from '../../codec/digest.ts';
import type { Clock, Fetch } from '../../decision/ports.ts';
import type { ObjectStore } from '../store.ts';

export interface SignedPutSettings {
  /** URL of the bucket, without a slash at its end. */
  readonly bucketUrl: string;
  readonly region: string;
  /** Whether the store honours `If-None-Match: *`. Keys of the spill are never used twice, so it does without. */
  readonly conditionalWrites: boolean;
  /** Read anew for each request, since a platform may renew them. */
  readonly credentials: () => {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
}

/**
 * Creates objects over S3 with one signed PUT (AWS Signature Version 4) and nothing else: for an authorizer that must not
 * carry the SDK for the one request that it may never make. `If-None-Match: *` where the store has it, payload hash signed. Rejects on
 * any other answer than created or there already; no retries.
 */
export function createSignedPut(settings: SignedPutSettings, fetch: Fetch, clock: Clock): Pick<ObjectStore, 'create'> {
  const { region, conditionalWrites } = settings;
  const { origin, host, pathname } = new URL(settings.bucketUrl);
  const bucketPath = pathname.replace(/\/$/, '');
  return {
    async create(key, bytes, contentType) {
      const path = `${bucketPath}/${key.split('/').map(encode).join('/')}`;
      const { accessKeyId, secretAccessKey, sessionToken } = settings.credentials();
      const time = new Date(clock()).toISOString().replace(/[:-]|\.\d{3}/g, '');
      const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
      const hash = await sha256(bytes);
      const digest = hex(hash);
      const fields: readonly (readonly [string, string])[] = [
        ['content-type', contentType],
        ['host', host],
        ...(conditionalWrites ? [['if-none-match', '*'] as const] : []),
        ['x-amz-checksum-sha256', encodeBase64(hash)],
        ['x-amz-content-sha256', digest],
        ['x-amz-date', time],
        ...(sessionToken === undefined ? [] : [['x-amz-security-token', sessionToken] as const]),
      ];
      const signedNames = fields.map(([name]) => name).join(';');
      const canonical = [
        'PUT',
        path,
        '',
        ...fields.map(([name, value]) => `${name}:${value}`),
        '',
        signedNames,
        digest,
      ];
      const toSign = ['AWS4-HMAC-SHA256', time, scope, hex(await sha256(utf8(canonical.join('\n'))))].join('\n');
      let signingKey: Uint8Array<ArrayBuffer> = utf8(`AWS4${secretAccessKey}`);
      for (const part of scope.split('/')) signingKey = await hmac(signingKey, part);
      const signature = hex(await hmac(signingKey, toSign));
      const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`;
      const headers = { ...Object.fromEntries(fields.filter(([name]) => name !== 'host')), authorization };
      const response = await fetch(`${origin}${path}`, { method: 'PUT', headers, body: bytes });
      await response.body?.cancel();
      if (response.status === 200) return 'created';
      if (response.status === 412) return 'exists';
      throw new Error(`PUT ${key}: status ${response.status}`);
    },
  };
}

/** RFC 3986 unreserved characters stay, everything else is encoded, as the signature's canonical form wants it. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, utf8(text)));
}
