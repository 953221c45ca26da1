import { readBounded } from '../../codec/bounded-body.ts';
import { EgressRefused } from '../../decision/egress-refused.ts';
import type { Fetch } from '../../decision/ports.ts';

/** Resolves after `milliseconds`, or as soon as `signal` aborts; never rejects. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export type FetchProblem =
  | 'unreachable'
  | 'connection_refused'
  | 'name_unknown'
  | 'certificate_untrusted'
  | 'certificate_name_differs'
  | 'timeout'
  | 'status'
  | 'refused'
  | 'too_large'
  | 'not_utf8';

export type Fetched<Problem = FetchProblem> =
  | { readonly text: string }
  | {
      readonly problem: Problem;
      readonly status: number | null;
      /** Whether the same request may well succeed a moment later. */
      readonly transient: boolean;
    };

const maximumBytes = 512 * 1024;

/** The way to an issuer. */
export interface FetchParts {
  /** From the egress guard: reaches the configured hosts only and follows no redirect to another origin. */
  readonly fetch: Fetch;
  readonly sleep: Sleep;
}

/**
 * One attempt to get the text of a key set or of an issuer's metadata: at most 512 KiB, header section and body within `timeoutMs`. Only a 200 counts.
 * A request refused by the egress guard (another host, a redirect elsewhere), any other status and an oversized body are
 * not transient; 5xx, a time-out and a broken connection are. Never throws and never hangs, even when `fetch` ignores its
 * signal. Says nothing about the contents.
 */
export async function fetchKeySet(
  url: string,
  timeoutMs: number,
  { fetch, sleep }: FetchParts,
  bearerToken: string | null = null,
): Promise<Fetched> {
  const attempt = new AbortController();
  const timer = new AbortController();
  const expiry = sleep(timeoutMs, timer.signal).then((): Fetched => {
    attempt.abort();
    return failure('timeout');
  });
  try {
    return await Promise.race([request(url, bearerToken, attempt.signal, fetch), expiry]);
  } finally {
    timer.abort();
  }
}

function failure(problem: FetchProblem, status: number | null = null, transient = true): Fetched {
  return {
    problem,
    status,
    transient,
  };
}

async function request(url: string, bearerToken: string | null, signal: AbortSignal, fetch: Fetch): Promise<Fetched> {
  try {
    const response = await fetch(url, {
      headers: {
        accept: 'application/jwk-set+json, application/json',
        ...(bearerToken === null ? {} : { authorization: `Bearer ${bearerToken}` }),
      },
      // A cache between here and the issuer would hide a rotation.
      cache: 'no-store',
      redirect: 'manual',
      signal,
    });
    if (response.status === 200 && response.body !== null) return await readText(response.body, signal);
    await response.body?.cancel();
    return failure('status', response.status, response.status >= 500);
  } catch (error) {
    return error instanceof EgressRefused ? failure('refused', null, false) : failure(causeOf(error));
  }
}

const causes: ReadonlyMap<string, FetchProblem> = new Map([
  ['ECONNREFUSED', 'connection_refused'],
  ['ENOTFOUND', 'name_unknown'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate_name_differs'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate_untrusted'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate_untrusted'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'certificate_untrusted'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate_untrusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate_untrusted'],
  ['CERT_HAS_EXPIRED', 'certificate_untrusted'],
  ['CERT_NOT_YET_VALID', 'certificate_untrusted'],
]);

/** What an error of Node's client tells; other runtimes tell nothing. */
function causeOf(error: unknown): FetchProblem {
  let inner = error;
  for (let depth = 0; depth < 3 && inner instanceof Error; depth++) {
    const known = 'code' in inner && typeof inner.code === 'string' ? causes.get(inner.code) : undefined;
    if (known !== undefined) return known;
    inner = inner.cause;
  }
  return 'unreachable';
}

async function readText(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<Fetched> {
  const bytes = await readBounded(body, maximumBytes, signal);
  return bytes === null ? failure('too_large', 200, false) : decode(bytes);
}

function decode(bytes: Uint8Array): Fetched {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return failure('not_utf8', 200, false);
  }
}
