import type { Clock } from '../../decision/ports.ts';
import { type DiscoveryProblem, discoveryUrls, readDiscovery } from './discovery.ts';
import { type Fetched, type FetchParts, type FetchProblem, fetchKeySet } from './key-set-fetch.ts';

/** Reads a text file; rejects when it cannot. */
export type ReadFile = (path: string) => Promise<string>;

export type SourceProblem = FetchProblem | DiscoveryProblem | 'file_unreadable' | 'token_file_unreadable';

export type SourceText = Fetched<SourceProblem> & {
  /** The host that discovery may not go to. */ readonly host?: string;
};

/** Where the text of one issuer's key set comes from. */
export interface KeySource {
  /** Under which name instances may leave the text for each other; null where each reads for itself. */
  readonly copyName: string | null;
  /** One attempt, over within `timeoutMs`. Never rejects. */
  read(timeoutMs: number): Promise<SourceText>;
}

/** A token that the issuer wants to see before it gives its keys, read anew each time; null: none is wanted. */
export type BearerToken = (() => Promise<string>) | null;

/** How long a discovered location is believed before the metadata is read again. */
const locationLastsMs = 3_600_000;

/** Keys at a URL. */
export function keySetAt(url: string, parts: FetchParts, token: BearerToken): KeySource {
  return { copyName: url, read: (timeoutMs) => fetchWith(token, url, timeoutMs, parts) };
}

/** Keys in a file, read again with every refresh. */
export function keySetInFile(path: string, readFile: ReadFile): KeySource {
  return {
    copyName: null,
    read: async () => {
      const text = await readFile(path).catch(() => null);
      return text === null ? failed('file_unreadable') : { text };
    },
  };
}

/**
 * Keys where the issuer's metadata says. The metadata is asked for at both well-known places, the second only where the
 * first has none (a 4xx). The location is remembered for an hour, and forgotten when the keys cannot be read there. A
 * bearer token goes with the fetch of the metadata, which is at the issuer's own host, and with that of the keys.
 */
export function keySetByDiscovery(
  rules: {
    readonly issuer: string;
    readonly keySetHosts: readonly string[];
    /** Where the metadata may be; those of OpenID Connect and RFC 8414 where it is left out. */
    readonly urls?: readonly string[];
  },
  parts: FetchParts & { readonly clock: Clock },
  token: BearerToken,
): KeySource {
  const { clock } = parts;
  let location: { readonly url: string; readonly foundAtMs: number } | null = null;

  const discover = async (timeoutMs: number): Promise<SourceText> => {
    let answer: SourceText = failed('discovery_without_keys');
    for (const url of rules.urls ?? discoveryUrls(rules.issuer)) {
      answer = await fetchWith(token, url, timeoutMs, parts);
      if ('text' in answer || answer.status === null || answer.status < 400 || answer.status > 499) return answer;
    }
    return answer;
  };

  return {
    copyName: `discovery ${rules.urls?.[0] ?? rules.issuer}`,
    async read(timeoutMs) {
      const beganAtMs = clock();
      if (location === null || Math.abs(beganAtMs - location.foundAtMs) > locationLastsMs) {
        const metadata = await discover(timeoutMs / 2);
        if ('problem' in metadata) return metadata;
        const found = readDiscovery(metadata.text, rules);
        if ('problem' in found)
          return found.host === null ? failed(found.problem) : { ...failed(found.problem), host: found.host };
        location = { url: found.keySetUrl, foundAtMs: beganAtMs };
      }
      const leftMs = Math.max(1, timeoutMs - Math.max(0, clock() - beganAtMs));
      const keys = await fetchWith(token, location.url, Math.min(leftMs, timeoutMs), parts);
      if ('problem' in keys) location = null;
      return keys;
    },
  };
}

async function fetchWith(token: BearerToken, url: string, timeoutMs: number, parts: FetchParts): Promise<SourceText> {
  if (token === null) return fetchKeySet(url, timeoutMs, parts);
  const bearer = await token().then(
    (text) => text.trim(),
    () => '',
  );
  // A token is one field value: anything else would never arrive as it is.
  if (!/^[\x21-\x7e]+$/.test(bearer)) return failed('token_file_unreadable');
  return fetchKeySet(url, timeoutMs, parts, bearer);
}

function failed(problem: SourceProblem) {
  return { problem, status: null, transient: false } as const;
}
