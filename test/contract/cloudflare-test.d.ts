/** What the tests inside workerd are given. */
declare module 'cloudflare:test' {
  export const env: Readonly<Record<string, unknown>>;
}
