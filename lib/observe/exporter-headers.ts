export type ExporterHeaders =
  | { readonly ok: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly problem: string };

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Reads `TGEFD_OTEL_HEADERS`: `name=value` pairs with commas between them; a value may hold `=`, and is taken as it stands
 * (no percent-decoding). Names come back in lower case. A problem tells which pair is wrong by its number, for a value
 * may be a credential.
 */
export function parseExporterHeaders(text: string): ExporterHeaders {
  const headers = new Map<string, string>();
  for (const [at, pair] of text.split(',').entries()) {
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const value = pair.slice(equals + 1).trim();
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) {
      return { ok: false, problem: `pair ${at + 1} is not \`name=value\`` };
    }
    if (headers.has(name)) return { ok: false, problem: `\`${name}\` is given twice` };
    headers.set(name, value);
  }
  return { ok: true, headers: Object.fromEntries(headers) };
}
