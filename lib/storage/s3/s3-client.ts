import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

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
