import type { Fetch } from '../decision/ports.ts';

/**
 * One HTTP exchange with the REST face of Redis: posts a command as JSON, gives status and body. Rejects when no answer
 * came. Sends once more what is `repeatable` at most, where a connection that was used before broke. Should stop when the signal says so; nobody waits for it if it does not.
 */
export type RedisExchange = (
  body: string,
  signal: AbortSignal,
  repeatable: boolean,
) => Promise<{ readonly status: number; readonly text: string }>;

/** Longest answer that is read; a snapshot of the revocations is the longest that we ask for. */
const maximumAnswerBytes = 16 * 1024 * 1024;

/**
 * The exchange over `fetch`, for Workers and Lambda; rejects an answer past 16 MiB. Over Node's own `fetch` it costs ten
 * times a kept-alive socket.
 */
export function fetchExchange(settings: { readonly url: string; readonly token: string }, fetch: Fetch): RedisExchange {
  const headers = { authorization: `Bearer ${settings.token}`, 'content-type': 'application/json' };
  return async (body, signal) => {
    const response = await fetch(settings.url, { method: 'POST', headers, body, signal });
    return { status: response.status, text: await boundedText(response) };
  };
}

/** The text at once where framing holds the answer to a length that it declared, else counted as it comes. */
async function boundedText(response: Response): Promise<string> {
  const { body, headers } = response;
  const declared = headers.get('content-length');
  if (
    body === null ||
    (declared !== null && !headers.has('content-encoding') && Number(declared) <= maximumAnswerBytes)
  )
    return response.text();
  const utf8 = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + utf8.decode();
    bytes += value.byteLength;
    if (bytes > maximumAnswerBytes) {
      await reader.cancel();
      throw new Error('answer too large');
    }
    text += utf8.decode(value, { stream: true });
  }
}
