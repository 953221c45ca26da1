import { createRecentMap } from '../../codec/recent-map.ts';

/** How many questions one issuer is asked. */
export interface QuestionBounds {
  /** Counts a question about an unknown token; whole seconds until the address may ask again, or null where it may now. */
  ofAddress(address: string, nowMs: number): number | null;
  /** Counts a question of anybody; whether it may be asked. */
  ofAll(nowMs: number): boolean;
}

const QUESTIONS_PER_SECOND = 50;
const MINUTE_MS = 60_000;
/** Addresses that are counted at once; with more, the bound of all together still holds. */
const MAXIMUM_ADDRESSES = 10_000;

/** Makes the bounds of one isolate. `perMinute` 0: an address is not counted. Instants are of a clock that nobody sets. */
export function createQuestionBounds(perMinute: number): QuestionBounds {
  const counted = createRecentMap<{ readonly sinceMs: number; questions: number }>({
    maximumEntries: MAXIMUM_ADDRESSES,
  });
  let second = Number.NEGATIVE_INFINITY;
  let questions = 0;

  return {
    ofAddress(address, nowMs) {
      if (perMinute === 0) return null;
      const known = counted.get(address);
      if (known === undefined || nowMs >= known.sinceMs + MINUTE_MS) {
        counted.set(address, { sinceMs: nowMs, questions: 1 });
        return null;
      }
      if (known.questions >= perMinute) return Math.max(1, Math.ceil((known.sinceMs + MINUTE_MS - nowMs) / 1000));
      known.questions += 1;
      return null;
    },
    ofAll(nowMs) {
      const now = Math.floor(nowMs / 1000);
      if (now !== second) [second, questions] = [now, 0];
      questions += 1;
      return questions <= QUESTIONS_PER_SECOND;
    },
  };
}
