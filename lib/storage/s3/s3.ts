import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { encodeBase64 } from '../../codec/base64url.ts';
import { sha256 } from '../../codec/digest.ts';
import type { Clock } from '../../decision/ports.ts';
import { StorageFailure, statusOf, storageCause } from '../storage-failure.ts';
import type { ObjectStore } from '../store.ts';

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

/**
 * Object storage over the S3 API. Each object goes with its SHA-256 (`x-amz-checksum-sha256`), which AWS checks before it
 * stores anything and Object Lock demands; other endpoints may ignore it, so manifests hold the hash too.
 */
export function createS3Store(
  client: S3Client,
  settings: S3Settings,
  { clock, stopwatch = clock }: StoreClocks,
): ObjectStore {
  const { bucket, conditionalWrites } = settings;
  return {
    ...(conditionalWrites ? {} : { needsLease: true as const }),

    async create(key, bytes, contentType) {
      if (!conditionalWrites && !(await isFree(client, bucket, key, stopwatch))) return 'exists';
      const input = await inputOf(settings, { key, bytes, contentType, nowMs: clock() });
      try {
        await answered(client.send(new PutObjectCommand(input)), 200);
        return 'created';
      } catch (error) {
        if (statusOf(error) === 412) return 'exists';
        throw failed('PUT', key, error);
      }
    },

    read: (key, maximumBytes) => read(client, bucket, key, maximumBytes),
    list: (prefix, afterKey) => list(client, bucket, prefix, afterKey),
    folders: (prefix) => folders(client, bucket, prefix),

    async remove(key) {
      const removal = client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
      await answered(removal, 204, 200).catch((error: unknown) => {
        throw failed('DELETE', key, error);
      });
    },
  };
}

/** What is sent for one object, as the settings want it stored. */
async function inputOf(
  { bucket, conditionalWrites, retention, encryption }: S3Settings,
  object: {
    readonly key: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly contentType: string;
    readonly nowMs: number;
  },
): Promise<PutObjectCommandInput> {
  const input: PutObjectCommandInput = {
    Bucket: bucket,
    Key: object.key,
    Body: object.bytes,
    ContentType: object.contentType,
    ChecksumSHA256: encodeBase64(await sha256(object.bytes)),
  };
  if (conditionalWrites) input.IfNoneMatch = '*';
  if (retention?.isKept(object.key)) {
    input.ObjectLockMode = retention.mode;
    input.ObjectLockRetainUntilDate = new Date(object.nowMs + retention.days * DAY_MS);
  }
  if (encryption !== null) input.ServerSideEncryption = encryption.algorithm;
  if (encryption?.algorithm === 'aws:kms') input.SSEKMSKeyId = encryption.keyId;
  return input;
}

/** Looks before it writes. Gives up where looking took so long that a lease may have ended meanwhile. */
async function isFree(client: S3Client, bucket: string, key: string, stopwatch: Clock): Promise<boolean> {
  const beganMs = stopwatch();
  if (await isThere(client, bucket, key)) return false;
  if (stopwatch() - beganMs > MAXIMUM_LOOK_MS) throw new Error(`PUT ${key}: looking for it took too long`);
  return true;
}

async function isThere(client: S3Client, bucket: string, key: string): Promise<boolean> {
  try {
    await answered(client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })), 200);
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw failed('HEAD', key, error);
  }
}

async function read(
  client: S3Client,
  bucket: string,
  key: string,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${maximumBytes}` });
    const { Body } = await answered(client.send(command), 200, 206);
    return Body === undefined ? new Uint8Array() : new Uint8Array(await Body.transformToByteArray());
  } catch (error) {
    if (statusOf(error) === 404 && storageCause(error) !== 'no_bucket') return null;
    if (statusOf(error) === 416) return new Uint8Array(); // An empty object has no range.
    throw failed('GET', key, error);
  }
}

/** One page of a listing. */
function page(client: S3Client, input: ListObjectsV2CommandInput & { readonly Prefix: string }) {
  return answered(client.send(new ListObjectsV2Command(input)), 200).catch((error: unknown) => {
    throw failed('LIST', input.Prefix, error);
  });
}

async function list(client: S3Client, Bucket: string, Prefix: string, afterKey: string | null) {
  const after = afterKey === null ? {} : { StartAfter: afterKey };
  const { Contents, IsTruncated } = await page(client, { Bucket, Prefix, MaxKeys: 1000, ...after });
  const objects = (Contents ?? []).flatMap(({ Key, Size }) =>
    Key === undefined ? [] : [{ key: Key, bytes: Size ?? 0 }],
  );
  return { objects, more: IsTruncated === true };
}

async function folders(client: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (let token: string | undefined, more = true; more; ) {
    const further = token === undefined ? {} : { ContinuationToken: token };
    const answer = await page(client, { Bucket, Prefix, Delimiter: '/', ...further });
    found.push(...(answer.CommonPrefixes ?? []).flatMap((folder) => folder.Prefix?.slice(Prefix.length, -1) ?? []));
    token = answer.NextContinuationToken;
    more = answer.IsTruncated === true && token !== undefined;
  }
  return found;
}

/** The SDK takes every 2xx for a success; a store that has done what it was asked says so by one of these. */
async function answered<O extends { readonly $metadata: { readonly httpStatusCode?: number | undefined } }>(
  answer: Promise<O>,
  ...statuses: readonly number[]
): Promise<O> {
  const output = await answer;
  const { httpStatusCode: status } = output.$metadata;
  if (status !== undefined && statuses.includes(status)) return output;
  throw Object.assign(new Error('an answer of another status'), { $metadata: output.$metadata });
}

function failed(operation: string, key: string, error: unknown): Error {
  return new StorageFailure(operation, key, error);
}
