import { encodeBase64url } from '../codec/base64url.ts';
import { hex, utf8 } from '../codec/digest.ts';
import { createRecentMap } from '../codec/recent-map.ts';

/** What is behind a pseudonym. The same value under two kinds has unrelated pseudonyms. */
export type PseudonymKind = 'identity' | 'address' | 'token_id';

export interface PseudonymSettings {
  /** HMAC key as configured: at least 32 bytes of UTF-8. New pseudonyms are made with it. */
  readonly key: string;
  /** Keys used before, for looking old records up. Hot-path pseudonyms never use them. */
  readonly previousKeys?: readonly string[];
  /** Pseudonyms of each kind remembered so that a known value answers without a promise (default 4096). */
  readonly rememberedValues?: number;
  /** HMAC-SHA-256 of a text under a key, where the runtime has one that answers at once; Web Cryptography otherwise. */
  readonly hmac?: Hmac | undefined;
}

export type Hmac = (key: string, text: string) => Uint8Array;

export interface Pseudonyms {
  /**
   * The pseudonym of a value: `<key id>.<mac>`, 8 hexadecimal digits and 128 bits of HMAC-SHA-256 in base64url. The key id
   * tells which key made it without telling anything of the key. Answers without a promise for values it remembers.
   */
  of(kind: PseudonymKind, value: string): string | Promise<string>;
  /** The value's pseudonym under the current and every previous key, in this order: what a search must look for. */
  all(kind: PseudonymKind, value: string): Promise<readonly string[]>;
}

type Eventually<T> = T | Promise<T>;
type Sign = (text: string) => Eventually<Uint8Array>;

interface LoadedKey {
  readonly id: string;
  readonly sign: Sign;
}

/**
 * Makes the pseudonyms of records and Redis keys: HMAC-SHA-256, separated by kind. Without the key nobody can tell who is
 * behind one, or test a guess; destroying the key makes every pseudonym anonymous for good. Keeps no promise between calls,
 * so one maker may serve all requests of a Worker. Throws a RangeError on a key under 32 bytes.
 */
export function createPseudonyms(settings: PseudonymSettings): Pseudonyms {
  const { key, previousKeys = [], rememberedValues = 4096, hmac } = settings;
  for (const text of [key, ...previousKeys]) {
    if (utf8(text).byteLength < 32) throw new RangeError('a pseudonym key has at least 32 bytes');
  }
  let current: LoadedKey | null = null;
  // By kind and then by value: the value of a caller seen before has its hash at hand, a text made of both has not.
  const remembered = {
    identity: createRecentMap<string>({ maximumEntries: rememberedValues }),
    address: createRecentMap<string>({ maximumEntries: rememberedValues }),
    token_id: createRecentMap<string>({ maximumEntries: rememberedValues }),
  };

  return {
    of(kind, value) {
      const known = remembered[kind].get(value);
      if (known !== undefined) return known;
      const name = `${kind}\n${value}`;
      const made = after(current ?? load(key, hmac), (loaded) => {
        current = loaded;
        return mac(loaded, name);
      });
      return after(made, (pseudonym) => {
        remembered[kind].set(value, pseudonym);
        return pseudonym;
      });
    },
    async all(kind, value) {
      const name = `${kind}\n${value}`;
      return Promise.all([key, ...previousKeys].map(async (text) => mac(await load(text, hmac), name)));
    },
  };
}

/** Goes on at once where there is nothing to wait for. */
function after<T, R>(value: Eventually<T>, next: (value: T) => Eventually<R>): Eventually<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

function load(key: string, hmac: Hmac | undefined): Eventually<LoadedKey> {
  const named = (sign: Sign) =>
    after(sign('tgefd pseudonym key id'), (digest) => ({ id: hex(digest.subarray(0, 4)), sign }));
  return hmac ? named((text) => hmac(key, text)) : importKey(key).then((sign) => named(sign));
}

async function importKey(text: string): Promise<Sign> {
  const key = await crypto.subtle.importKey('raw', utf8(text), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return async (signed) => new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(signed)));
}

function mac({ id, sign }: LoadedKey, name: string): Eventually<string> {
  return after(sign(`tgefd pseudonym\n${name}`), (digest) => `${id}.${encodeBase64url(digest.subarray(0, 16))}`);
}
