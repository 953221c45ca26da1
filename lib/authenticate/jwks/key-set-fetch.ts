import { readBounded } from '../../codec/bounded-body.ts';
import { EgressRefused } from '../../decision/egress-refused.ts';
import type { Fetch } from '../../decision/ports.ts';

/** Resolves after `milliseconds`, or as soon as `signal` aborts; never rejects. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<void>;

export type FetchProblem = 'unreachable' | 'timeout' | 'status' | 'refused' | 'too_large' | 'not_utf8';

export type Fetched =
  | { readonly text: string }
  | {
      readonly problem: FetchProblem;
      readonly status: number | null;
      /** Whether the same request may well succeed a moment later. */
      readonly transient: boolean;
    };

const maximumBytes = 512 * 1024;

/**
 * One attempt to get the text of a key set: at most 512 KiB, header section and body within `timeoutMs`. Only a 200 counts.
 * A request refused by the egress guard (another host, a redirect elsewhere), any other status and an oversized body are
 * not transient; 5xx, a time-out and a broken connection are. Never throws and never hangs, even when `fetch` ignores its
 * signal. Says nothing about the contents.
 */
export async function fetchKeySet(
  url: string,
  timeoutMs: number,
  { fetch, sleep }: { readonly fetch: Fetch; readonly sleep: Sleep },
): Promise<Fetched> {
  const attempt = new AbortController();
  const timer = new AbortController();
  const expiry = sleep(timeoutMs, timer.signal).then((): Fetched => {
    attempt.abort();
    return failure('timeout');
  });
  try {
    return await Promise.race([request(url, attempt.signal, fetch), expiry]);
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

async function request(url: string, signal: AbortSignal, fetch: Fetch): Promise<Fetched> {
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      // A cache between here and the issuer would hide a rotation.
      cache: 'no-store',
      redirect: 'manual',
      signal,
    });
    if (response.status === 200 && response.body !== null) return await readText(response.body, signal);
    await response.body?.cancel();
    return failure('status', response.status, response.status >= 500);
  } catch (error) {
    return error instanceof EgressRefused ? failure('refused', null, false) : failure('unreachable');
  }
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
