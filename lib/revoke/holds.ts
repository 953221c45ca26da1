/** Cut-off of an account that is held: every token was issued before it (the last instant that RFC 3339 can write). */
export const HELD_BEFORE_SECONDS = 253_402_300_799;

/** What is remembered of an account that was held: it still is, or `atSeconds` is when it was released. */
export interface Hold {
  readonly held: boolean;
  /** When the event happened that said so. */
  readonly atSeconds: number;
  /** The cut-off that is in force once the hold ends, and until when; zero where there is none. */
  readonly cutOffSeconds: number;
  readonly cutOffExpiresAtSeconds: number;
}
