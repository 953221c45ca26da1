import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { encodeBase64 } from '../../codec/base64url.ts';
import { sha256 } from '../../codec/digest.ts';
import type { Clock } from '../../decision/ports.ts';
import { StorageFailure, statusOf, storageCause } from '../storage-failure.ts';
import type { ObjectStore } from '../store.ts';

export interface S3Connection {
  /** Null: AWS itself. A path in it stands in front of every request. */
  readonly endpoint: string | null;
  /** Where requests name the bucket; null: in the host at AWS, in the path at an endpoint. */
  readonly addressing?: 'path' | 'virtual' | null;
  /** Null: the SDK's own chain. */
  readonly region: string | null;
  /** Null: the SDK's own chain (role, web identity, container or instance credentials). */
  readonly credentials:
    | { readonly accessKeyId: string; readonly secretAccessKey: string }
    | (() => Promise<{
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken: string;
        readonly expiration: Date;
      }>)
    | null;
  /** Instead of signatures: the access token that each request carries (Google Cloud). */
  readonly accessToken?: () => Promise<string>;
  /** Time-out of one attempt, milliseconds. */
  readonly timeoutMs: number;
  /** Node's guarded agents (`lib/platform/node/egress.ts`); absent on a Worker, whose `fetch` reaches nothing private. */
  readonly agents?: { readonly http: object; readonly https: object };
}

export interface S3Settings {
  readonly bucket: string;
  /** Whether the endpoint honours `If-None-Match: *` on a PUT. Where it does not, an object is looked for before it is
   * written, and the archive's lease, renewed before each object, keeps two writers apart. */
  readonly conditionalWrites: boolean;
  /** Object Lock retention set on each object that `isKept`, besides what the bucket itself retains by default; or null. */
  readonly retention: {
    readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
    readonly days: number;
    isKept(key: string): boolean;
  } | null;
  /** Server-side encryption asked for with each object; null leaves it to the bucket's default. */
  readonly encryption:
    | { readonly algorithm: 'AES256' }
    | { readonly algorithm: 'aws:kms'; readonly keyId: string }
    | null;
}

/** The wall clock, for retention; a monotonic one for durations (absent: the wall clock). */
export interface StoreClocks {
  readonly clock: Clock;
  readonly stopwatch?: Clock;
}

const DAY_MS = 86_400_000;
/** Three attempts of ten seconds to write must end within the archive's lease of a minute. */
const MAXIMUM_LOOK_MS = 15_000;

/** Connects to an S3 endpoint: path style where it is not AWS, checksums of our own choosing, three attempts. */
export function createS3Client(connection: S3Connection): S3Client {
  const { endpoint, region, credentials, timeoutMs, agents, accessToken } = connection;
  const config: S3ClientConfig = {
    maxAttempts: 3,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      requestTimeout: timeoutMs,
      // Without it the SDK only warns, and waits for a silent store without end.
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
      connectionTimeout: timeoutMs,
      // Where the SDK stands on `fetch` (Workers), which would follow; Node's own client does not.
      requestInit: () => ({ redirect: 'manual' }),
      ...(agents ? { httpAgent: agents.http, httpsAgent: agents.https } : {}),
    },
  };
  if (region !== null) Object.assign(config, { region });
  if (endpoint !== null) Object.assign(config, { endpoint });
  if (connection.addressing ? connection.addressing === 'path' : endpoint !== null)
    Object.assign(config, { forcePathStyle: true });
  if (credentials !== null) Object.assign(config, { credentials });
  if (accessToken) {
    const sign = async <R extends { headers: Record<string, string> }>(request: R): Promise<R> => {
      request.headers.authorization = `Bearer ${await accessToken()}`;
      return request;
    };
    Object.assign(config, { signer: { sign }, credentials: { accessKeyId: 'none', secretAccessKey: 'none' } });
  }
  const client = new S3Client(config);
  client.middlewareStack.add(refuseOddAnswers(timeoutMs * BODY_ATTEMPTS), {
    step: 'deserialize',
    name: 'refuseOddStatus',
    override: true,
  });
  return client;
}

/** A body may take this many times the time-out of one attempt. */
const BODY_ATTEMPTS = 3;

/**
 * The SDK takes every status below 300 for a success, `000` too: only 200 to 299 is one (RFC 9110 §15.3). And it reads a body
 * for as long as it comes: one that does not end in time is cut off.
 */
function refuseOddAnswers(bodyTimeoutMs: number) {
  return <A, O extends { readonly response: unknown }>(next: (args: A) => Promise<O>) =>
    async (args: A): Promise<O> => {
      const result = await next(args);
      const { statusCode: status, body } = result.response as {
        readonly statusCode?: unknown;
        readonly body?: unknown;
      };
      if (typeof status === 'number' && status >= 200 && status <= 599) {
        cutOffAfter(bodyTimeoutMs, body);
        return result;
      }
      destroy(body);
      throw Object.assign(new Error('an answer with an invalid status'), { $metadata: { httpStatusCode: status } });
    };
}

function cutOffAfter(milliseconds: number, body: unknown): void {
  if (!(typeof body === 'object' && body !== null && 'once' in body && typeof body.once === 'function')) return;
  const timer = setTimeout(() => destroy(body), milliseconds);
  body.once('close', () => clearTimeout(timer));
}

function destroy(body: unknown): void {
  if (typeof body === 'object' && body !== null && 'destroy' in body && typeof body.destroy === 'function')
    body.destroy(new Error('the answer was cut off'));
}

/**
 * Object storage over the S3 API. Each object goes with its SHA-256 (`x-amz-checksum-sha256`), which AWS checks before it
 * stores anything and Object Lock demands; other endpoints may ignore it, so manifests hold the hash too.
 */
export function createS3Store(
  client: S3Client,
  settings: S3Settings,
  { clock, stopwatch = clock }: StoreClocks,
): ObjectStore {
  const { bucket, conditionalWrites, retention, encryption } = settings;
  const isThere = async (key: string): Promise<boolean> => {
    try {
      await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw failed('HEAD', key, error);
    }
  };

  /** Looks before it writes. Gives up where looking took so long that a lease may have ended meanwhile. */
  const isFree = async (key: string): Promise<boolean> => {
    const beganMs = stopwatch();
    if (await isThere(key)) return false;
    if (stopwatch() - beganMs > MAXIMUM_LOOK_MS) throw new Error(`PUT ${key}: looking for it took too long`);
    return true;
  };

  return {
    ...(conditionalWrites ? {} : { needsLease: true as const }),

    async create(key, bytes, contentType) {
      if (!conditionalWrites && !(await isFree(key))) return 'exists';
      const input: PutObjectCommandInput = {
        Bucket: bucket,
        Key: key,
        Body: bytes,
        ContentType: contentType,
        ChecksumSHA256: encodeBase64(await sha256(bytes)),
      };
      if (conditionalWrites) input.IfNoneMatch = '*';
      if (retention?.isKept(key)) {
        input.ObjectLockMode = retention.mode;
        input.ObjectLockRetainUntilDate = new Date(clock() + retention.days * DAY_MS);
      }
      if (encryption !== null) input.ServerSideEncryption = encryption.algorithm;
      if (encryption?.algorithm === 'aws:kms') input.SSEKMSKeyId = encryption.keyId;
      try {
        await client.send(new PutObjectCommand(input));
        return 'created';
      } catch (error) {
        if (statusOf(error) === 412) return 'exists';
        throw failed('PUT', key, error);
      }
    },

    async read(key, maximumBytes) {
      try {
        const { Body } = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${maximumBytes}` }),
        );
        return Body === undefined ? new Uint8Array() : new Uint8Array(await Body.transformToByteArray());
      } catch (error) {
        if (statusOf(error) === 404 && storageCause(error) !== 'no_bucket') return null;
        if (statusOf(error) === 416) return new Uint8Array(); // An empty object has no range.
        throw failed('GET', key, error);
      }
    },

    async list(prefix, afterKey) {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: 1000,
        ...(afterKey === null ? {} : { StartAfter: afterKey }),
      });
      const page = await client.send(command).catch((error: unknown) => {
        throw failed('LIST', prefix, error);
      });
      const objects = (page.Contents ?? []).flatMap(({ Key, Size }) =>
        Key === undefined ? [] : [{ key: Key, bytes: Size ?? 0 }],
      );
      return { objects, more: page.IsTruncated === true };
    },

    async folders(prefix) {
      const found: string[] = [];
      for (let token: string | undefined, more = true; more; ) {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          Delimiter: '/',
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        const page = await client.send(command).catch((error: unknown) => {
          throw failed('LIST', prefix, error);
        });
        found.push(...(page.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix?.slice(prefix.length, -1) ?? []));
        token = page.NextContinuationToken;
        more = page.IsTruncated === true && token !== undefined;
      }
      return found;
    },

    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })).catch((error: unknown) => {
        throw failed('DELETE', key, error);
      });
    },
  };
}

function failed(operation: string, key: string, error: unknown): Error {
  return new StorageFailure(operation, key, error);
}
