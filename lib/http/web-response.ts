import type { Answer } from '../respond/denial.ts';

/**
 * A web answer with its fields appended one by one, which keeps repeated ones. Without a body they go into the answer's own
 * fields, which costs workerd two thirds of a `Headers` handed in and a third of a list; a body would bring a type with it.
 */
export function webResponse(
  status: number,
  fields: readonly (readonly [string, string])[],
  body: string | null,
): Response {
  if (body === null) {
    const response = new Response(null, { status });
    const { headers } = response;
    for (const [name, value] of fields) headers.append(name, value);
    return response;
  }
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return new Response(body, { status, headers });
}

/** An answer as a web `Response`. */
export function webAnswer({ status, headers, body }: Answer): Response {
  return webResponse(status, headers, body);
}
