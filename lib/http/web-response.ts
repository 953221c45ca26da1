import type { Answer } from '../respond/denial.ts';

/**
 * A web answer with its fields appended one by one, which keeps repeated ones and costs workerd a fraction of what a list
 * handed to the constructor does.
 */
export function webResponse(
  status: number,
  fields: readonly (readonly [string, string])[],
  body: string | null,
): Response {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return new Response(body, { status, headers });
}

/** An answer as a web `Response`. */
export function webAnswer({ status, headers, body }: Answer): Response {
  return webResponse(status, headers, body);
}
