import { type Check, isLoopback } from './check.ts';

/** Rules about tokens that are bound to a key, and about the protected resource. */
export function checkTokens(check: Check): void {
  const { settings, given, place, ways, production, problem, secure } = check;
  const { dpop, dpopNonce, resource } = settings;
  for (const key of ['dpop', 'dpopMaximumAgeSeconds', 'dpopNonce', 'resource'] as const)
    if (given.has(key) && !ways.includes('jwt') && place.role !== 'archive')
      problem(key, 'a value', 'a value only where TGEFD_AUTH_MODE has `jwt`: no other credential is a token');
  if (settings.jwtTypes.length === 0)
    problem('jwtTypes', 'no type', 'at least one media type, or `absent`: otherwise no token is accepted');
  if (dpop === 'off' && dpopNonce === 'required')
    problem('dpopNonce', '`required`', '`required` only where TGEFD_DPOP is not `off`');
  if (dpop === 'off' && given.has('dpopMaximumAgeSeconds'))
    problem('dpopMaximumAgeSeconds', 'a value', 'a value only where TGEFD_DPOP is not `off`');
  if (dpop === 'required' && settings.jwtBearerPrefix.trim() === '')
    problem(
      'dpop',
      '`required`',
      '`required` only with a scheme in TGEFD_JWT_BEARER_PREFIX: bound tokens come as `DPoP`',
    );
  if (place.platform === 'lambda' && dpop === 'required' && settings.authorizerTtlSeconds > 0)
    problem(
      'dpop',
      '`required`',
      '`required` only with TGEFD_AUTHORIZER_TTL_SEC=0: an answer that is kept checks no proof',
    );
  if (place.platform === 'lambda' && dpopNonce === 'required')
    problem('dpopNonce', '`required`', '`off` on Lambda: API Gateway sends no field of ours with a 401');
  if (resource !== null && resource.search !== '')
    problem('resource', 'a query', 'an absolute URL without query and fragment');
  secure(
    'resource',
    resource,
    !production && resource !== null && isLoopback(resource),
    production ? '' : ', or http: on a loopback host',
  );
}
