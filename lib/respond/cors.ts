import type { AccessRequest } from '../decision/request.ts';

type Fields = readonly (readonly [string, string])[];

const exposed = 'RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, WWW-Authenticate, DPoP-Nonce';
const accepted =
  'Authorization, DPoP, Content-Type, X-Api-Key, X-Request-Id, Traceparent, MCP-Protocol-Version, Mcp-Method, Mcp-Name';

/**
 * Cross-origin answers (WHATWG Fetch §3.2) for the origins configured, `*` for any. Preflights are answered here and never
 * decided upon; an origin that is not listed gets an answer without CORS fields, which a browser takes as a no. Credentials
 * mode is never allowed: callers bring tokens, not cookies.
 */
export function createCors(settings: {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly requestHeaders: readonly string[];
}) {
  const any = settings.origins.includes('*');
  const origins = new Set(settings.origins);
  const methods = [...new Set(settings.methods)].join(', ');
  const requestHeaders = [accepted, ...settings.requestHeaders].join(', ');

  const allowOrigin = (request: AccessRequest): Fields => {
    if (origins.size === 0) return [];
    const origin = request.headers.get('origin');
    if (origin === null || !(any || origins.has(origin))) return [['vary', 'Origin']];
    return [['access-control-allow-origin', any ? '*' : origin], ...(any ? [] : ([['vary', 'Origin']] as Fields))];
  };

  return {
    /** Fields of the answer to a preflight, or null when the request is none. */
    preflight(request: AccessRequest): Fields | null {
      if (request.method !== 'OPTIONS' || request.headers.get('origin') === null) return null;
      if (request.headers.get('access-control-request-method') === null) return null;
      const allowed = allowOrigin(request);
      if (!allowed.some(([name]) => name === 'access-control-allow-origin')) return [['vary', 'Origin']];
      return [
        ...allowed,
        ['access-control-allow-methods', methods],
        ['access-control-allow-headers', requestHeaders],
        ['access-control-max-age', '600'],
      ];
    },
    /** Fields of any other answer to this request. */
    fields(request: AccessRequest): Fields {
      const allowed = allowOrigin(request);
      return allowed.length > 0 && allowed[0]?.[0] === 'access-control-allow-origin'
        ? [...allowed, ['access-control-expose-headers', exposed]]
        : allowed;
    },
  };
}

export type Cors = ReturnType<typeof createCors>;
