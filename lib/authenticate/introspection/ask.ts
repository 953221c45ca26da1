import { readBounded } from '../../codec/bounded-body.ts';
import { type JsonObject, parseStrictJsonObject } from '../../codec/strict-json.ts';
import type { Fetch } from '../../decision/ports.ts';

export interface IntrospectionClient {
  readonly url: string;
  readonly clientId: string;
  /** Reads the client's secret each time, so that a new one needs no restart. */
  readonly clientSecret: () => Promise<string>;
  readonly timeoutMs: number;
}

/** What the issuer says about a token; null: no answer that can be understood. */
export type IntrospectionAnswer =
  | { readonly form: 'json'; readonly members: JsonObject }
  | { readonly form: 'jwt'; readonly text: string };

const LONGEST_ANSWER_BYTES = 65_536;
const SIGNED = 'application/token-introspection+jwt';

/**
 * Asks an issuer about one token (RFC 7662 §2.1), as a client that authenticates by Basic. Prefers a signed answer
 * (RFC 9701 §4). Follows no redirect, waits no longer than the deadline, reads 64 KiB at most. Never rejects.
 */
export async function askIssuer(
  client: IntrospectionClient,
  token: string,
  fetch: Fetch,
): Promise<IntrospectionAnswer | null> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), client.timeoutMs);
  try {
    const response = await fetch(client.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        authorization: `Basic ${basic(client.clientId, await client.clientSecret())}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: `${SIGNED}, application/json`,
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      signal: deadline.signal,
    });
    const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (response.status !== 200 || (type !== 'application/json' && type !== SIGNED)) {
      void response.body?.cancel().catch(() => undefined);
      return null;
    }
    const bytes = await readBounded(response.body, LONGEST_ANSWER_BYTES, deadline.signal);
    if (bytes === null || deadline.signal.aborted) return null;
    if (type === SIGNED) return { form: 'jwt', text: new TextDecoder().decode(bytes).trim() };
    const members = parseStrictJsonObject(bytes);
    return members === null ? null : { form: 'json', members };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 6749 §2.3.1: both halves form-encoded before they are joined. */
function basic(id: string, secret: string): string {
  const encoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);
  return btoa(`${encoded(id)}:${encoded(secret)}`);
}
