import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { secretNames } from '../../lib/config/sources.ts';

/** Secrets that stand nowhere else in the world: wherever one turns up, in whatever form, a secret would. */
export interface Canaries {
  /** A value for every variable that is a secret, the one that is being rotated out besides. */
  readonly env: Readonly<Record<string, string>>;
  /** Which of them, or what part of which, a text holds: as it stands, in base64 or base64url at any offset, in hex, percent
   * encoded, escaped as JSON, or its first sixteen characters alone. */
  secretsIn(text: string): string[];
}

const PREFIX_CHARACTERS = 16;
function canary() {
  return randomBytes(24).toString('hex');
}

async function privateKey() {
  const pair = await generateKeyPair('ES256', { extractable: true });
  return exportJWK(pair.privateKey);
}

/** Makes new ones. Values that `given` names are taken as they are, where a test needs one that is accepted elsewhere. */
export async function createCanaries(given: Readonly<Record<string, string>> = {}): Promise<Canaries> {
  const env: Record<string, string> = {};
  /** What must not be seen, by what it is. */
  const hidden: [string, string][] = [];
  for (const name of secretNames) {
    const variable = name.replace(/_PREVIOUS$/, '');
    if (variable.startsWith('UPSTASH_')) continue; // Another name of TGEFD_REDIS_TOKEN.
    const value = given[name] ?? canary();
    if (/_(ASSERTION|SIGNING)_KEY$/.test(variable)) {
      const jwk = await privateKey();
      env[name] = JSON.stringify(jwk);
      hidden.push([name, jwk.d ?? '']);
    } else {
      env[name] =
        variable === 'TGEFD_API_KEY' ? `holder:${value}` : variable === 'TGEFD_OTEL_HEADERS' ? `x-key=${value}` : value;
      hidden.push([name, value]);
    }
  }
  const forms = hidden.map(([name, value]) => [name, formsOf(value)] as const);
  return {
    env,
    secretsIn: (text) => forms.filter(([, each]) => each.some((form) => text.includes(form))).map(([name]) => name),
  };
}

export function formsOf(value: string): string[] {
  const beginning = value.slice(0, PREFIX_CHARACTERS);
  const bytes = Buffer.from(beginning);
  // Three bytes are four characters: what stands before shifts the rest, and the edges depend on the neighbours.
  const inBase64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64url')
      .slice(offset === 0 ? 0 : offset + 1, -2),
  );
  const hex = bytes.toString('hex');
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [
    beginning,
    ...inBase64,
    ...inBase64.map((form) => form.replaceAll('-', '+').replaceAll('_', '/')),
    hex,
    hex.toUpperCase(),
    percent,
    percent.toUpperCase(),
    encodeURIComponent(beginning),
  ];
}
