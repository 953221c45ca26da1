/** The fields of an allowed check beside the user, so that every row writes as much as ours. */
export const FIELDS = [
  ['x-auth-request-scopes', 'discover evaluate jobs metrics'],
  ['x-auth-request-method', 'jwt'],
  ['x-auth-request-issuer', 'https://issuer.example.test'],
  ['x-request-id', '01J00000000000000000000000'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02'],
  ['x-tgefd-assertion', ''],
  ['cache-control', 'no-store'],
];
