const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODES: readonly number[] = Array.from(ALPHABET, (digit) => digit.charCodeAt(0));
/** 80 bits in digits of five. */
const RANDOM_DIGITS = 16;
const IDS_IN_POOL = 256;

/**
 * A ULID: 48 bits of time, 80 bits of randomness, in Crockford's base 32, so that ids sort by time and none can be guessed.
 * Randomness is drawn and written for many ids at once, since one draw costs as much for ten bytes as for a thousand.
 */
export function createUlids(clock: () => number): () => string {
  let pool = '';
  let used = 0;
  let timeMs = Number.NaN;
  let time = '';

  return () => {
    if (used === pool.length) {
      pool = randomDigits(IDS_IN_POOL * RANDOM_DIGITS);
      used = 0;
    }
    const nowMs = clock();
    if (nowMs !== timeMs) {
      timeMs = nowMs;
      time = timeDigits(nowMs);
    }
    used += RANDOM_DIGITS;
    return time + pool.slice(used - RANDOM_DIGITS, used);
  };
}

/** Random digits of five bits each: one for each byte that is drawn, whose other bits are left. */
function randomDigits(count: number): string {
  const digits = crypto.getRandomValues(new Uint8Array(count));
  for (let at = 0; at < count; at++) digits[at] = CODES[(digits[at] ?? 0) & 31] ?? 0;
  return ascii.decode(digits);
}

const ascii = new TextDecoder();

function timeDigits(timeMs: number): string {
  let digits = '';
  for (let rest = timeMs, place = 0; place < 10; place++) {
    digits = ALPHABET.charAt(rest % 32) + digits;
    rest = Math.floor(rest / 32);
  }
  return digits;
}
