import { decodeBase64url, encodeBase64url } from '../../codec/base64url.ts';
import { utf8 } from '../../codec/digest.ts';

/** Seals text so that only who has the same secret can read or make it. */
export interface Seal {
  close(text: string): Promise<string>;
  /** The text, or null for what this secret, or the one before it, did not seal. */
  open(sealed: string): Promise<string | null>;
}

const IV_BYTES = 12;
const PURPOSE = 'tgefd console session 1';

/**
 * AES-256-GCM under keys of their own, derived from the given secrets: the first seals, the others only open while they
 * rotate. Keeps no promise between calls, so that every request of a Worker may use it.
 */
export function createSeal(secrets: readonly string[]): Seal {
  const keys: (CryptoKey | undefined)[] = [];
  const keyAt = async (place: number): Promise<CryptoKey | null> => {
    const secret = secrets[place];
    if (secret === undefined) return null;
    keys[place] ??= await deriveKey(secret);
    return keys[place];
  };
  return {
    async close(text) {
      const key = await keyAt(0);
      if (key === null) throw new RangeError('a seal needs a secret');
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const sealed = await crypto.subtle.encrypt({ ...parameters(iv) }, key, utf8(text));
      const whole = new Uint8Array(IV_BYTES + sealed.byteLength);
      whole.set(iv);
      whole.set(new Uint8Array(sealed), IV_BYTES);
      return encodeBase64url(whole);
    },
    async open(sealed) {
      const bytes = decodeBase64url(sealed);
      if (bytes === null || bytes.byteLength <= IV_BYTES) return null;
      for (let place = 0; place < secrets.length; place++) {
        const key = await keyAt(place);
        const opened =
          key &&
          (await crypto.subtle
            .decrypt(parameters(bytes.slice(0, IV_BYTES)), key, bytes.slice(IV_BYTES))
            .catch(() => null));
        if (opened) return new TextDecoder().decode(opened);
      }
      return null;
    },
  };
}

function parameters(iv: Uint8Array<ArrayBuffer>) {
  return { name: 'AES-GCM', iv, additionalData: utf8(PURPOSE) };
}

async function deriveKey(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', utf8(secret), 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(PURPOSE) },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}
