import { describe, expect, it } from 'vitest';
import type { Authenticator } from '../../../lib/authenticate/authenticator.ts';
import { createSeveralWays } from '../../../lib/authenticate/several-ways.ts';
import type { Authentication } from '../../../lib/decision/principal.ts';
import type { CredentialWay } from '../../../lib/decision/request.ts';

type Says = 'valid' | 'invalid' | 'missing' | 'unavailable';

function answerOf(way: CredentialWay, says: Says): Authentication {
  if (says === 'missing') return { outcome: 'refused', reason: { reason: 'credentials_missing' } };
  if (says === 'unavailable') return { outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds: 5 };
  if (says === 'invalid')
    return {
      outcome: 'refused',
      reason: way === 'jwt' ? { reason: 'token_signature_invalid' } : { reason: 'certificate_expired' },
    };
  return { outcome: 'authenticated', principal: { method: way } as never, degraded: [] };
}

async function outcome(
  order: readonly CredentialWay[],
  says: Record<CredentialWay, Says>,
  later: boolean,
  allowed?: readonly CredentialWay[],
) {
  const asked: CredentialWay[] = [];
  const ways = order.map((way) => ({
    way,
    authenticate: ((): Authentication | Promise<Authentication> => {
      asked.push(way);
      return later ? Promise.resolve(answerOf(way, says[way])) : answerOf(way, says[way]);
    }) as Authenticator,
  }));
  const answer = await createSeveralWays(ways)({} as never, {} as never, { defer() {} }, true, allowed ?? null);
  const told =
    answer.outcome === 'authenticated'
      ? answer.principal.method
      : answer.outcome === 'refused'
        ? `${answer.method}: ${answer.reason.reason}`
        : answer.outcome === 'unavailable'
          ? answer.reason
          : answer.outcome;
  return [told, asked.join(' ')];
}

describe.each([false, true])('several ways, answered later: %s', (later) => {
  it.each([
    ['jwt mtls', 'valid', 'valid', 'jwt', 'jwt'],
    ['mtls jwt', 'valid', 'valid', 'mtls', 'mtls'],
    ['jwt mtls', 'missing', 'valid', 'mtls', 'jwt mtls'],
    ['jwt mtls', 'invalid', 'valid', 'jwt: token_signature_invalid', 'jwt'],
    ['mtls jwt', 'valid', 'invalid', 'mtls: certificate_expired', 'mtls'],
    ['jwt mtls', 'missing', 'invalid', 'mtls: certificate_expired', 'jwt mtls'],
    ['jwt mtls', 'unavailable', 'valid', 'keys_unavailable', 'jwt'],
    ['jwt mtls', 'missing', 'missing', 'jwt: credentials_missing', 'jwt mtls'],
    ['mtls jwt', 'missing', 'missing', 'mtls: credentials_missing', 'mtls jwt'],
  ] as const)('%s, with a token that is %s and a certificate that is %s', async (order, jwt, mtls, told, asked) => {
    expect(await outcome(order.split(' ') as CredentialWay[], { jwt, mtls }, later)).toEqual([told, asked]);
  });

  it('does not look at a kind that the row does not allow', async () => {
    const says = { jwt: 'invalid', mtls: 'valid' } as const;
    expect(await outcome(['jwt', 'mtls'], says, later, ['mtls'])).toEqual(['mtls', 'mtls']);
    const others = { jwt: 'valid', mtls: 'missing' } as const;
    expect(await outcome(['jwt', 'mtls'], others, later, ['mtls'])).toEqual(['mtls: credentials_missing', 'mtls']);
  });
});
