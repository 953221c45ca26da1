/**
 * What it costs that API Gateway keeps an authorizer's answers, in plain words: one line each on revocation, limits,
 * audit and denials. `revocationDelaySeconds` is the bound without keeping (0: the next decision). Takes no part
 * in any decision.
 */
export function cachingConsequences(caching: {
  readonly ttlSeconds: number;
  readonly revocationDelaySeconds: number;
}): readonly string[] {
  const { ttlSeconds, revocationDelaySeconds } = caching;
  const bound = ttlSeconds + revocationDelaySeconds;
  if (ttlSeconds === 0) {
    return [
      bound === 0
        ? 'API Gateway keeps no answer: a revoked credential is refused from the next request on'
        : `API Gateway keeps no answer: a revoked credential is refused after ${bound} s at most`,
      'Limits and audit see every request',
    ];
  }
  const share = (perSecond: number) => `1 in ${Math.max(1, perSecond * ttlSeconds)}`;
  return [
    `API Gateway keeps answers for ${ttlSeconds} s: a revoked or expired credential passes for up to ${bound} s more`,
    `Limits and audit see one request per credential and ${ttlSeconds} s: of a caller with 1 request a second ${share(1)}, with 10 a second ${share(10)}`,
    `A caller who has run out of budget stays refused for up to ${ttlSeconds} s`,
    'Callers are told apart by their credential alone: a certificate or an address is not looked at again',
  ];
}
