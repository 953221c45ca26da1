/** How long an answer may wait for object storage when the outbox has failed; well below the archive's settling time. */
export const SPILL_TIMEOUT_MS = 5000;
