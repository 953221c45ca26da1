import { document, headerName, headerNames, list } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Trust boundary” of the configuration. */
export const boundary = {
  trustedProxies: setting({
    name: 'TGEFD_TRUSTED_PROXIES',
    kind: list('CIDR ranges separated by commas'),
    fallback: '',
    meaning: 'Networks whose forwarded, identity and certificate headers count.',
  }),
  ingressSecret: secret({
    name: 'TGEFD_INGRESS_SECRET',
    kind: document('at least 32 bytes'),
    meaning:
      'Secret of the signed ingress proof, for platforms where no peer address exists or can be trusted; at least 32 bytes.',
  }),
  ingressStrips: setting({
    name: 'TGEFD_INGRESS_STRIPS',
    kind: headerNames,
    fallback: [] as readonly string[],
    meaning:
      'Headers that your ingress removes from callers, as you confirm here. With forward-auth, list every configured header that the documented proxy files do not remove. Behind a trusted proxy the gateway warns of each that is missing here. `check-config` prints the lines for the proxy, and `doctor ingress` tests them.',
  }),
  identityHeader: setting({
    name: 'TGEFD_IDENTITY_HEADER',
    kind: headerName,
    fallback: null,
    meaning:
      'Header in which a trusted ingress names the caller. The verified identity goes upstream in the same header (without this setting in `x-auth-request-user`).',
  }),
} as const;
