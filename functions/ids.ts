const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A ULID: 48 bits of time, 80 bits of randomness, in Crockford's base 32, so that ids sort by time and none can be guessed.
 * Randomness is drawn in blocks, since asking for ten bytes costs as much as asking for a thousand.
 */
export const createUlids = (clock: () => number): (() => string) => {
  const pool = new Uint8Array(640);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    let time = clock();
    let id = '';
    for (let place = 0; place < 10; place++) {
      id = alphabet.charAt(time % 32) + id;
      time = Math.floor(time / 32);
    }
    for (let group = 0; group < 2; group++) {
      // Five bytes are eight digits.
      const high = ((pool[used] ?? 0) << 12) | ((pool[used + 1] ?? 0) << 4) | ((pool[used + 2] ?? 0) >> 4);
      const low = (((pool[used + 2] ?? 0) & 15) << 16) | ((pool[used + 3] ?? 0) << 8) | (pool[used + 4] ?? 0);
      used += 5;
      for (let shift = 15; shift >= 0; shift -= 5) id += alphabet.charAt((high >> shift) & 31);
      for (let shift = 15; shift >= 0; shift -= 5) id += alphabet.charAt((low >> shift) & 31);
    }
    return id;
  };
};
