import type { Assertions } from '../respond/assertion.ts';
import type { Answer } from '../respond/denial.ts';

/** The page with the public keys that verify identity assertions (RFC 7517 §5); empty where none are signed. */
export async function keySetPage(assertions: Assertions | null): Promise<Answer> {
  const keySet = assertions === null ? { keys: [] } : await assertions.jwks();
  return {
    status: 200,
    headers: [
      ['content-type', 'application/jwk-set+json'],
      ['cache-control', 'public, max-age=60'],
    ],
    body: JSON.stringify(keySet),
  };
}
