/** A Worker that reads one field and answers with as many as ours, and does nothing else. */
const fields = [
  ['x-auth-request-user', 'caller-1-0123456789ab'],
  ['x-auth-request-scopes', 'discover evaluate jobs metrics'],
  ['x-auth-request-method', 'jwt'],
  ['x-request-id', '01J00000000000000000000000'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02'],
  ['x-tgefd-assertion', ''],
  ['cache-control', 'no-store'],
];

export default {
  fetch: ({ headers }) => new Response(null, { status: headers.has('authorization') ? 200 : 401, headers: fields }),
};
