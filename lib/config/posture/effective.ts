import type { Config } from '../load.ts';
import { acceptedWithoutSecrets } from '../masking.ts';
import type { Secret } from '../variable.ts';
import { variableEntries } from '../variables.ts';

/** A variable that is in force. */
export interface EffectiveSetting {
  readonly name: string;
  /** Its value; of a secret the length alone. */
  readonly value: string;
  /** Whether nobody set it. */
  readonly default: boolean;
}

/** The effective configuration, secrets masked to their length. */
export function effectiveSettings(config: Config): readonly EffectiveSetting[] {
  return variableEntries.flatMap(([key, variable]) => {
    const value = config.settings[key] as unknown;
    if (value === null) return [];
    const text = variable.secret ? masked(value as Secret<string>) : plain(value);
    return [{ name: variable.name, value: text, default: !config.given.has(key) }];
  });
}

/** The effective configuration, one line a variable, secrets masked to their length. */
export function effectiveLines(config: Config): readonly string[] {
  return effectiveSettings(config).map(
    ({ name, value, default: isDefault }) => `${name}=${value}${isDefault ? '  (default)' : ''}`,
  );
}

function bytes(text: string) {
  return new TextEncoder().encode(text).length;
}
function masked({ current, previous }: Secret<string>) {
  return `[${bytes(current)} bytes]${previous === null ? '' : ` and a previous value [${bytes(previous)} bytes]`}`;
}
const CLIENT_SECRET = /("client_secret"\s*:\s*")(?:[^"\\]|\\.)*"/g;

function plain(value: unknown) {
  const text = Array.isArray(value) ? value.join(',') : value instanceof URL ? value.href : String(value);
  return acceptedWithoutSecrets(text.replace(CLIENT_SECRET, '$1[secret]"'));
}
