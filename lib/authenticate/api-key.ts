/** A key that callers may send in `x-api-key`, and the id under which records and revocations name it. */
export interface ApiKey {
  readonly id: string;
  readonly secret: string;
  /** Which of the two values it stands in. */
  readonly slot: 'current' | 'previous';
}

/** What is wrong with a list of keys. Never holds any part of a secret. */
export interface ApiKeyProblem {
  readonly of: 'current' | 'previous';
  readonly found: string;
  readonly accepted: string;
}

const idForm = /^[A-Za-z0-9._-]{1,64}$/;
const secretForm = /^[\x21-\x2b\x2d-\x7e]{1,1024}$/;

/**
 * Reads `TGEFD_API_KEY` and the value being rotated out: one bare key (id `default`, or `previous`), or `id:key` pairs
 * separated by commas, as soon as there is a colon or a comma. An id may stand in both values, since that is how one
 * holder's key is rotated; the very same entry in both, as at the beginning of a rotation, counts once. Gives every key, or
 * every problem: empty entries, missing ids, characters that no header field carries unchanged, ids given twice in one
 * value, keys given twice. Does not judge how hard a key is to guess.
 */
export function parseApiKeys(value: { readonly current: string; readonly previous: string | null }): {
  readonly keys: readonly ApiKey[];
  readonly problems: readonly ApiKeyProblem[];
} {
  const keys: ApiKey[] = [];
  const problems: ApiKeyProblem[] = [];
  const idOfSecret = new Map<string, string>();

  const read = (of: ApiKeyProblem['of'], text: string, bareId: string) => {
    const problem = (found: string, accepted: string) => problems.push({ of, found, accepted });
    const ids = new Set<string>();
    const entries = text.split(',').map((entry) => entry.trim());
    entries.forEach((entry, index) => {
      const place = entries.length === 1 ? 'a key' : `entry ${index + 1}`;
      const colon = entry.indexOf(':');
      const bare = colon === -1 && entries.length === 1;
      const id = bare ? bareId : entry.slice(0, Math.max(colon, 0));
      const secret = entry.slice(colon + 1);
      if (entry === '') problem(`${place} that is empty`, 'a key, or `id:key` pairs separated by commas');
      else if (!bare && colon === -1) problem(`${place} without an id`, '`id:key` for each of several keys');
      else if (!idForm.test(id))
        problem(`${place} with a malformed id`, 'ids of 1 to 64 letters, digits, `.`, `_` or `-`');
      else if (!secretForm.test(secret))
        problem(`${place} with a malformed key`, 'keys of 1 to 1024 visible ASCII characters');
      else if (ids.has(id)) problem(`${place} with an id given before`, 'a different id for each key');
      else if (!idOfSecret.has(secret)) keys.push({ id, secret, slot: of });
      else if (idOfSecret.get(secret) !== (bare ? 'default' : id))
        problem(`${place} with a key given before`, 'a different key for each id');
      ids.add(id);
      idOfSecret.set(secret, id);
    });
  };

  read('current', value.current, 'default');
  if (value.previous !== null) read('previous', value.previous, 'previous');
  return problems.length > 0 ? { keys: [], problems } : { keys, problems };
}

/** Gives the key that was presented, or null when it is none of ours. */
export type CheckApiKey = (presented: string) => Promise<Pick<ApiKey, 'id' | 'slot'> | null>;

/**
 * Compares a presented key with all of ours in constant time: SHA-256 digests of equal length, every byte of every key, no
 * early exit, so that time tells neither how much of a key was right nor how long one is.
 */
export function createCheckApiKey(keys: readonly ApiKey[]): CheckApiKey {
  let known: readonly { readonly key: ApiKey; readonly digest: Uint8Array }[] | null = null;

  return async (presented) => {
    known ??= await Promise.all(keys.map(async (key) => ({ key, digest: await sha256(key.secret) })));
    const digest = await sha256(presented);
    let found: ApiKey | null = null;
    for (const { key, digest: expected } of known) {
      let difference = 0;
      for (let index = 0; index < digest.length; index++) difference |= (digest[index] ?? 0) ^ (expected[index] ?? 0);
      found = difference === 0 ? key : found;
    }
    return found && { id: found.id, slot: found.slot };
  };
}

const utf8 = new TextEncoder();

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text)));
}
