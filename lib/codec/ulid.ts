const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Two digits for each ten bits. */
const pairs: readonly string[] = Array.from({ length: 1024 }, (_, bits) =>
  alphabet.charAt(bits >> 5).concat(alphabet.charAt(bits & 31)),
);
const poolBytes = 16_000;

/**
 * A ULID: 48 bits of time, 80 bits of randomness, in Crockford's base 32, so that ids sort by time and none can be guessed.
 * Randomness is drawn in blocks, since asking for ten bytes costs as much as asking for a thousand.
 */
export function createUlids(clock: () => number): () => string {
  const pool = new Uint8Array(poolBytes);
  let used = poolBytes;
  let timeMs = Number.NaN;
  let time = '';
  const pair = (at: number, shift: number): string =>
    pairs[((((pool[at] ?? 0) << 8) | (pool[at + 1] ?? 0)) >> shift) & 1023] ?? '';

  return () => {
    if (used === poolBytes) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    const nowMs = clock();
    if (nowMs !== timeMs) {
      timeMs = nowMs;
      time = timeDigits(nowMs);
    }
    let id = time;
    // Five bytes are four pairs.
    for (const end = used + 10; used < end; used += 5)
      id += pair(used, 6) + pair(used + 1, 4) + pair(used + 2, 2) + pair(used + 3, 0);
    return id;
  };
}

function timeDigits(timeMs: number): string {
  let digits = '';
  for (let rest = timeMs, place = 0; place < 10; place++) {
    digits = alphabet.charAt(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}
