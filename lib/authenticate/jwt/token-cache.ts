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
 * whole token. A token is admitted on its second sighting, so that tokens used once cost next to nothing. Two
 * generations bound it: when the young one is full, it becomes the old one and the old one is forgotten; what is still
 * in use moves back. Only verified tokens may be told of, so nobody can fill it without an issuer's signature.
 * Does not know time, keys or revocation.
 */
export function createTokenCache<Entry extends Remembered>(settings: TokenCacheSettings): TokenCache<Entry> {
  const entriesPerGeneration = Math.max(1, settings.maximumEntries >> 1);
  const charactersPerGeneration = settings.maximumCharacters >> 1;
  let young = new Map<string, Entry>();
  let old = new Map<string, Entry>();
  let characters = 0;
  let onceSeen = new Set<string>();

  const keep = (tail: string, entry: Entry) => {
    if (young.size >= entriesPerGeneration || characters + entry.token.length > charactersPerGeneration) {
      old = young;
      young = new Map();
      characters = 0;
    }
    young.set(tail, entry);
    characters += entry.token.length;
  };

  return {
    find(token) {
      const tail = token.slice(-tailCharacters);
      const recent = young.get(tail);
      if (recent) return recent.token === token ? recent : undefined;
      const earlier = old.get(tail);
      if (earlier?.token !== token) return undefined;
      old.delete(tail);
      keep(tail, earlier);
      return earlier;
    },
    sighted(entry) {
      if (entry.token.length > charactersPerGeneration) return;
      const tail = entry.token.slice(-tailCharacters);
      if (onceSeen.delete(tail)) keep(tail, entry);
      else {
        if (onceSeen.size >= settings.maximumEntries) onceSeen = new Set();
        onceSeen.add(tail);
      }
    },
    drop(token) {
      const tail = token.slice(-tailCharacters);
      if (young.get(tail)?.token === token) young.delete(tail);
      if (old.get(tail)?.token === token) old.delete(tail);
    },
  };
}
