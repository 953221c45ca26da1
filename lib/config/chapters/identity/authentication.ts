import { document, oneOfLists, perMinute, scopes } from '../../kinds.ts';
import { secret, setting, settingByEnvironment } from '../../variable.ts';

/** Chapter “Authentication” of the configuration. */
export const authentication = {
  authMode: setting({
    name: 'TGEFD_AUTH_MODE',
    kind: oneOfLists('api_key', 'jwt', 'mtls', 'none', 'jwt,mtls', 'mtls,jwt'),
    fallback: null,
    meaning:
      'How callers prove who they are. Not given: `none`, in development only and only while no credential setting is present; otherwise invalid. With two, the first that is presented decides: if it is invalid, the other is not looked at.',
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
      'Failed authentications one address may cause a minute before further failures get 429 at no cost; 0 is off.',
  }),
} as const;
