import { document, oneOfLists, perMinute, scopes } from '../../kinds.ts';
import { secret, setting, settingByEnvironment } from '../../variable.ts';

/** Chapter “Authentication” of the configuration. */
export const authentication = {
  authMode: setting({
    name: 'TGEFD_AUTH_MODE',
    kind: oneOfLists('api_key', 'jwt', 'mtls', 'none', 'jwt,mtls', 'mtls,jwt'),
    fallback: null,
    meaning:
      'How callers prove who they are. With two values, the first kind that the caller presents decides; if it is invalid, the other is not tried. Not given: `none` in development, if no credential setting is present; otherwise the configuration is invalid.',
  }),
  apiKey: secret({
    name: 'TGEFD_API_KEY',
    kind: document('a key, or `id:key` pairs separated by commas'),
    meaning: 'Keys accepted in `x-api-key`, development only: one key, or several as `id:key`.',
  }),
  apiKeyScopes: setting({
    name: 'TGEFD_API_KEY_SCOPES',
    kind: scopes,
    fallback: ['*'] as readonly string[],
    meaning: 'Scopes that an API key grants.',
  }),
  authFailureLimitPerMinute: settingByEnvironment({
    name: 'TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE',
    kind: perMinute,
    fallback: {
      production: 60,
      development: 0,
    },
    meaning:
      'Failed authentications that one address may cause in a minute. Further failures get 429 without any work; 0 is off.',
  }),
} as const;
