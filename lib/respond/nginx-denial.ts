/** True status of a denial, for `auth_request_set` in nginx. */
export const NGINX_STATUS_FIELD = 'x-tgefd-status';
/** The problem document of a denial as one line of JSON in ASCII, for nginx to answer with. */
export const NGINX_PROBLEM_FIELD = 'x-tgefd-problem';

export interface NginxDenial {
  readonly status: 401 | 403;
  readonly fields: readonly (readonly [string, string])[];
}

/**
 * How a denial travels through nginx's `auth_request`, which lets only 401 and 403 pass, turns every other status into
 * a 500 and drops the body: the status becomes 403 (401 stays, since nginx copies the challenge of a 401 alone), and the
 * true one and the problem document go into header fields from which docs/proxies/forward-auth-nginx.conf restores the answer.
 * Takes the true status, the fields of the answer and the problem document; the fields come back with the two added.
 */
export function nginxDenial(
  status: number,
  fields: readonly (readonly [string, string])[],
  problem: Readonly<Record<string, unknown>>,
): NginxDenial {
  return {
    status: status === 401 ? 401 : 403,
    fields: [...fields, [NGINX_STATUS_FIELD, String(status)], [NGINX_PROBLEM_FIELD, asciiJson(problem)]],
  };
}

/** JSON without a character that a field value may not hold (RFC 9110 §5.5): JSON itself escapes control characters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
