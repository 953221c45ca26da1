import * as z from 'zod/mini';
import { claimPathFault } from '../codec/claim-path.ts';
import { once } from '../codec/once.ts';

/** How one variable's text is read: a zod schema from text to value, and the sentence that tells what it accepts. */
export interface Kind<T> {
  readonly accepts: string;
  readonly schema: z.ZodMiniType<T, string>;
  readonly unit?: 'seconds' | 'milliseconds' | 'bytes' | 'days' | 'requests per minute' | 'requests';
}

/** A kind whose schema is made where it is first read by: a start makes those of what is configured, not of every setting. */
export function kind<T>(accepts: string, schema: () => z.ZodMiniType<T, string>, unit?: Kind<T>['unit']): Kind<T> {
  const made = once(schema);
  const lazy = {
    accepts,
    get schema() {
      return made();
    },
  };
  return unit ? Object.assign(lazy, { unit }) : lazy;
}

function matching(pattern: RegExp) {
  return z.string().check(z.regex(pattern));
}

/** One of a closed list of words. */
export function oneOf<const W extends readonly [string, ...string[]]>(...words: W): Kind<W[number]> {
  return kind(
    words.map((word) => `\`${word}\``).join(', '),
    () => z.enum(words) as unknown as z.ZodMiniType<W[number], string>,
  );
}

/** The same for words that are lists themselves: spaces around their commas do not count. */
export function oneOfLists<const W extends readonly [string, ...string[]]>(...words: W): Kind<W[number]> {
  const each = oneOf(...words);
  const tidy = (text: string) => text.replace(/\s*,\s*/g, ',');
  return kind(
    each.accepts,
    () => z.pipe(z.pipe(z.string(), z.transform(tidy)), each.schema) as unknown as z.ZodMiniType<W[number], string>,
  );
}

/** `true` or `false`, in any letter case and nothing else: `yes` or `1` must not quietly become `false`. */
export const boolean: Kind<boolean> = kind('`true` or `false`', () =>
  z.pipe(
    matching(/^(true|false)$/i),
    z.transform((text: string) => text.toLowerCase() === 'true'),
  ),
);

/** A whole number between two bounds, both included. */
export function integer(minimum: number, maximum: number, unit?: Kind<number>['unit']): Kind<number> {
  return kind(
    `a whole number from ${minimum} to ${maximum}`,
    () =>
      z.pipe(
        z.pipe(matching(/^\d{1,12}$/), z.transform(Number)),
        z.number().check(z.minimum(minimum), z.maximum(maximum)),
      ),
    unit,
  );
}

/** A decimal number of seconds between two bounds, both included. */
export function seconds(minimum: number, maximum: number): Kind<number> {
  return kind(
    `a number of seconds from ${minimum} to ${maximum}`,
    () =>
      z.pipe(
        z.pipe(matching(/^\d{1,9}(\.\d{1,6})?$/), z.transform(Number)),
        z.number().check(z.minimum(minimum), z.maximum(maximum)),
      ),
    'seconds',
  );
}

/** A share between none and all. */
export const ratio: Kind<number> = kind('a number from 0 to 1', () =>
  z.pipe(matching(/^(0(\.\d{1,9})?|1(\.0{1,9})?)$/), z.transform(Number)),
);

/** Visible text without control characters or surrounding spaces. */
export function text(accepts: string): Kind<string> {
  return kind(accepts, () => matching(/^[^\p{Cc}\s](?:[^\p{Cc}]*[^\p{Cc}\s])?$/u));
}

/** An authentication scheme (RFC 9110 §11.1), with the spaces behind it or without, or empty. */
export const scheme: Kind<string> = kind('an authentication scheme other than `DPoP`, or empty', () =>
  matching(/^(?!dpop *$)(?:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,63} *)?$/i),
);

/** An origin as browsers write it: in lower case, and without the port of its scheme. */
function isOrigin(text: string): boolean {
  return isPlainHttpUrl(text) && new URL(text).origin === text;
}

/** Origins separated by spaces or commas, or `*` alone. */
export const origins: Kind<readonly string[]> = kind(
  'origins as browsers write them, such as `https://app.example`, separated by commas, or `*` alone',
  () =>
    z.pipe(
      z.string(),
      z.pipe(
        z.transform((value: string) => value.split(/[\s,]+/).filter((word) => word !== '')),
        z.array(z.string()).check(z.refine((found) => found.join() === '*' || found.every(isOrigin))),
      ),
    ) as unknown as z.ZodMiniType<readonly string[], string>,
);

/** Header field names in lower case, separated by spaces or commas. */
export const headerNames: Kind<readonly string[]> = kind(
  'header field names separated by commas',
  () =>
    z.pipe(
      z.pipe(
        z.string(),
        z.transform((value: string) =>
          value
            .toLowerCase()
            .split(/[\s,]+/)
            .filter((word) => word !== ''),
        ),
      ),
      z.array(matching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/)),
    ) as unknown as z.ZodMiniType<readonly string[], string>,
);

/** A header field name (RFC 9110 §5.1 token), given back in lower case. */
export const headerName: Kind<string> = kind('a header field name', () =>
  z.pipe(
    matching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/),
    z.transform((name: string) => name.toLowerCase()),
  ),
);

/**
 * Whether a text is an absolute `http:` or `https:` URL without user information or fragment. What looks like a list or has a
 * `*` in its host is none: it would be one URL that leads nowhere.
 */
export function isPlainHttpUrl(value: string): boolean {
  if (/[\s\p{Cc}]|,https?:/u.test(value) || !URL.canParse(value)) return false;
  const { protocol, username, password, hash, hostname } = new URL(value);
  return (
    (protocol === 'https:' || protocol === 'http:') && username + password + hash === '' && !hostname.includes('*')
  );
}

/** Such a URL. Which of the two schemes it may have is a matter of the rules. */
export const url: Kind<URL> = kind('an absolute `https:` URL without user name, password or fragment', () =>
  z.pipe(
    z.string().check(z.refine(isPlainHttpUrl)),
    z.transform((value: string) => new URL(value)),
  ),
);

/** A list separated by spaces or commas; empty text is an empty list. */
export function words(accepts: string, item: RegExp): Kind<readonly string[]> {
  return kind(
    accepts,
    () =>
      z.pipe(
        z.pipe(
          z.string(),
          z.transform((value: string) => value.split(/[\s,]+/).filter((word) => word !== '')),
        ),
        z.array(matching(item)),
      ) as unknown as z.ZodMiniType<readonly string[], string>,
  );
}

/** Items separated by commas, each with spaces inside at most; an empty text is no list. */
export function commaList(accepts: string, fits: (item: string) => boolean): Kind<readonly string[]> {
  return kind(
    accepts,
    () =>
      z.pipe(
        z.pipe(
          z.string(),
          z.transform((value: string) => value.split(',').map((item) => item.trim())),
        ),
        z.array(z.string().check(z.refine(fits))),
      ) as unknown as z.ZodMiniType<readonly string[], string>,
  );
}

/** A text that is one claim path. */
export const claimPath: Kind<string> = kind(
  'a claim path: the name of a claim, names separated by dots, or a JSON Pointer',
  () => z.string().check(z.refine((value: string) => claimPathFault(value) === null)),
);

/** Several claim paths. */
export const claimPaths: Kind<readonly string[]> = commaList(
  'claim paths separated by commas',
  (path) => claimPathFault(path) === null,
);

/** An issuer identifier. What looks like a list or a pattern is none: it would be compared character for character. */
export const issuerName: Kind<string> = kind(
  'an issuer identifier, exactly as tokens write it, without comma, `*`, `{` and `}`',
  () => matching(/^[^\p{Cc}\s,*{}](?:[^\p{Cc},*{}]*[^\p{Cc}\s,*{}])?$/u),
);

/** A media type as `typ` gives it: `application/` may be left out (RFC 7515 §4.1.9). */
export const typeName = /^(?:[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}\/)?[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

/** Scope names: visible ASCII without quotes or backslash (RFC 6749 §3.3). */
export const scopes: Kind<readonly string[]> = words(
  'scope names separated by spaces or commas, or `*` alone; no name has `*` or `|` in it',
  /^(?:\*|[\x21\x23-\x29\x2b\x2d-\x5b\x5d-\x7b\x7d\x7e]{1,128})$/,
);

/** A single scope name (RFC 6749 §3.3); `*` is no name. */
export const scope: Kind<string> = kind(
  'one scope name (visible ASCII without quotes, comma, backslash, `*` and `|`)',
  () => matching(/^[\x21\x23-\x29\x2b\x2d-\x5b\x5d-\x7b\x7d\x7e]{1,128}$/),
);

/** Text that a room of its own reads further; `accepts` says its form. */
export function document(accepts: string): Kind<string> {
  return kind(accepts, () => z.string().check(z.minLength(1)));
}

/** The same where an empty text is a document too: an empty list. */
export function list(accepts: string): Kind<string> {
  return kind(accepts, () => z.string());
}

export const perMinute = integer(0, 10_000_000, 'requests per minute');
export const requests = integer(0, 10_000_000, 'requests');
export const requestsOfPeriod = integer(0, 1_000_000_000, 'requests');
/** What decides while the shared store does not answer. */
export const onError = oneOf('local', 'closed', 'open');
export const path = text('the path of a file');

const RFC3339_INSTANT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** An instant, RFC 3339 §5.6, as epoch milliseconds. */
export const instant: Kind<number> = kind(
  'an instant such as `2026-12-24T18:00:00Z` (RFC 3339)',
  () =>
    z.pipe(
      matching(RFC3339_INSTANT).check(z.refine((text) => !Number.isNaN(Date.parse(text)))),
      z.transform((text: string) => Date.parse(text)),
    ) as unknown as z.ZodMiniType<number, string>,
);
