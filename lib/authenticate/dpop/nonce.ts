import { encodeBase64url } from '../../codec/base64url.ts';
import { hmacSha256, type InstantHmac } from '../../codec/digest.ts';

/** Nonces that the server chooses (RFC 9449 §8), without a memory: any isolate knows the nonce of any other. */
export interface Nonces {
  /** A nonce for a proof that is made from now on. */
  make(nowMs: number): Promise<string>;
  /** Whether a nonce is ours and still fresh. */
  accepts(nonce: string, nowMs: number): Promise<boolean>;
}

/** All nonces of one step are the same text. */
const STEP_SECONDS = 30;
/** How long a nonce can be used after its step began. */
export const NONCE_LIFETIME_SECONDS = 300;
const FORM = /^([0-9a-z]{1,10})\.([A-Za-z0-9_-]{22})$/;

/**
 * Makes nonces of a time and an HMAC over it. The keys are derived from the configured ones, the first of which signs; a
 * nonce of any other key is refused. Keeps no promise between calls.
 */
export function createNonces(keys: readonly string[], instant: InstantHmac | undefined): Nonces {
  const mac = async (key: string, step: string): Promise<string> => {
    const text = `tgefd dpop nonce\n${step}`;
    return encodeBase64url((instant ? instant(key, text) : await hmacSha256(key, text)).subarray(0, 16));
  };
  const [current = ''] = keys;
  let latest: { readonly step: string; readonly nonce: string } | null = null;

  return {
    async make(nowMs) {
      const step = Math.floor(nowMs / 1000 / STEP_SECONDS).toString(36);
      if (latest?.step !== step) latest = { step, nonce: `${step}.${await mac(current, step)}` };
      return latest.nonce;
    },
    async accepts(nonce, nowMs) {
      const [, step, given] = FORM.exec(nonce) ?? [];
      if (step === undefined || given === undefined) return false;
      const ageSeconds = nowMs / 1000 - Number.parseInt(step, 36) * STEP_SECONDS;
      // A server beside us may be a step ahead.
      if (ageSeconds < -STEP_SECONDS || ageSeconds > NONCE_LIFETIME_SECONDS) return false;
      for (const key of keys) if (equal(await mac(key, step), given)) return true;
      return false;
    },
  };
}

/** Compares two texts of one length without an early exit. */
function equal(one: string, other: string): boolean {
  let difference = 0;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
