import { createRecentMap } from '../../../codec/recent-map.ts';

/** What a verified token came to, with the token itself. Plain data and keys only: no promise may live here. */
export interface Remembered {
  readonly token: string;
}

/** Tokens that were verified before. */
export interface TokenCache<Entry extends Remembered> {
  /** The entry of exactly this token. Whether it still holds is the caller's to check, every time. */
  find(token: string): Entry | undefined;
  /** Tells of a token just verified: kept from its second sighting on. */
  sighted(entry: Entry): void;
  drop(token: string): void;
}

export interface TokenCacheSettings {
  readonly maximumEntries: number;
  /** Characters of all tokens held together. */
  readonly maximumCharacters: number;
}

/** Characters of the signature's end that a token is found by: 70 bits that only its issuer can choose. */
const tailCharacters = 12;

/**
 * A bounded memory of verified tokens. It finds a token by its signature's tail, which is quick to hash, and compares the
 * whole token. A token is admitted on its second sighting, so that tokens used once cost next to nothing. Only verified tokens may be told of, so nobody can fill it without an issuer's signature.
 * Does not know time, keys or revocation.
 */
export function createTokenCache<Entry extends Remembered>(settings: TokenCacheSettings): TokenCache<Entry> {
  const kept = createRecentMap<Entry>({
    maximumEntries: settings.maximumEntries,
    maximumWeight: settings.maximumCharacters,
    weightOf: ({ token }) => token.length,
  });
  const longestToken = settings.maximumCharacters >> 1;
  let onceSeen = new Set<string>();

  return {
    find(token) {
      const entry = kept.get(token.slice(-tailCharacters));
      return entry?.token === token ? entry : undefined;
    },
    sighted(entry) {
      if (entry.token.length > longestToken) return;
      const tail = entry.token.slice(-tailCharacters);
      if (onceSeen.delete(tail)) kept.set(tail, entry);
      else {
        if (onceSeen.size >= settings.maximumEntries) onceSeen = new Set();
        onceSeen.add(tail);
      }
    },
    drop(token) {
      const tail = token.slice(-tailCharacters);
      if (kept.get(tail)?.token === token) kept.delete(tail);
    },
  };
}
