import type { Config } from '../load.ts';
import { acceptedWithoutSecrets } from '../masking.ts';
import type { Secret } from '../variable.ts';
import { variableEntries } from '../variables.ts';

/** The effective configuration, one line a variable, secrets masked to their length. */
export function effectiveLines(config: Config): readonly string[] {
  const lines: string[] = [];
  for (const [key, variable] of variableEntries) {
    const value = config.settings[key] as unknown;
    const mark = config.given.has(key) ? '' : '  (default)';
    if (value === null) continue;
    lines.push(`${variable.name}=${variable.secret ? masked(value as Secret<string>) : plain(value)}${mark}`);
  }
  return lines;
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
