/** The part of `fetch` that the calls need; handed in, so that a test can answer. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a service answered: its JSON, or null when the thing does not exist. */
export type Answer = unknown;

/** A service refused or could not be understood. The message names the call and the service's reason, never a credential. */
export class ServiceRefused extends Error {
  override readonly name = 'ServiceRefused';
}

/** Calls one service's API with JSON. Gives null for a 404 and rejects for every other failure. */
export type Call = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<Answer>;

interface Service {
  readonly name: string;
  readonly origin: string;
  readonly authorization: string;
  readonly fetch: Fetch;
  /** Fields of every request besides the authorization. */
  readonly fields?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 30_000;
const REASON_CHARACTERS = 200;

function createCall(service: Service): Call {
  return async (method, path, body) => {
    const response = await service.fetch(`${service.origin}${path}`, {
      method,
      headers: {
        ...service.fields,
        authorization: service.authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: unknown = await response.json().catch(() => null);
    if (response.status === 404) return null;
    if (!response.ok) {
      const reason = reasonOf(answer);
      throw new ServiceRefused(
        `${service.name}: ${method} ${path}: status ${response.status}${reason && `, ${reason}`}`,
      );
    }
    return answer;
  };
}

/** The service's own words about a failure: Cloudflare's list of errors, or Upstash's text. */
function reasonOf(answer: unknown): string {
  if (typeof answer === 'string') return answer.slice(0, REASON_CHARACTERS);
  const errors = member(answer, 'errors');
  const [first] = Array.isArray(errors) ? errors : [answer];
  const message = member(first, 'message');
  return typeof message === 'string' ? message.slice(0, REASON_CHARACTERS) : '';
}

/** A member of what may be an object. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Cloudflare's API v4 for one account. The answers are the `result` members. */
export function cloudflare(accountId: string, apiToken: string, jurisdiction: string, fetch: Fetch): Call {
  const call = createCall({
    name: 'Cloudflare',
    origin: `https://api.cloudflare.com/client/v4/accounts/${encodeURIComponent(accountId)}`,
    authorization: `Bearer ${apiToken}`,
    fields: jurisdiction === 'default' ? {} : { 'cf-r2-jurisdiction': jurisdiction },
    fetch,
  });
  return async (method, path, body) => {
    const answer = await call(method, path, body);
    return answer === null ? null : (member(answer, 'result') ?? true);
  };
}

/** Upstash's developer API v2. */
export function upstash(email: string, apiKey: string, fetch: Fetch): Call {
  const authorization = `Basic ${Buffer.from(`${email}:${apiKey}`).toString('base64')}`;
  return createCall({ name: 'Upstash', origin: 'https://api.upstash.com/v2', authorization, fetch });
}
