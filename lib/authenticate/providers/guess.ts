import type { ProviderName } from './provider.ts';

/** How the issuers of a provider write themselves. */
const issuerForms: readonly (readonly [ProviderName, RegExp])[] = [
  ['auth0', /^https:\/\/[^/]+\.auth0\.com\/$/],
  ['clerk', /^https:\/\/[^/]+\.clerk\.accounts\.dev$|^https:\/\/clerk\./],
  ['cloudflare-access', /^https:\/\/[^/]+\.cloudflareaccess\.com$/],
  ['cognito', /^https:\/\/cognito-idp\.[^/]+\.amazonaws\.com(\.cn)?\//],
  ['entra', /^https:\/\/(login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)\//],
  ['firebase', /^https:\/\/securetoken\.google\.com\//],
  ['github', /^https:\/\/token\.actions\.githubusercontent\.com/],
  ['google', /^(https:\/\/)?accounts\.google\.com$/],
  ['keycloak', /^https?:\/\/[^/]+\/(.*\/)?realms\/[^/]+$/],
  ['okta', /^https:\/\/[^/]+\.okta(preview|-emea)?\.com(\/|$)/],
  ['supabase', /^https:\/\/[^/]+\.supabase\.co\/auth\/v1$/],
  ['zitadel', /^https:\/\/[^/]+\.zitadel\.cloud$/],
];

/** Claims that only one provider writes, for issuers under a domain of their own. */
const claimForms: readonly (readonly [ProviderName, RegExp])[] = [
  ['kubernetes', /^kubernetes\.io$/],
  ['zitadel', /^urn:zitadel:iam:/],
  ['cognito', /^cognito:/],
  ['keycloak', /^(realm_access|resource_access)$/],
  ['firebase', /^firebase$/],
];

/**
 * Guesses whose token it is by its claims alone. A guess only helps to find the right settings: nothing is trusted for it.
 *
 * @param claims - the claims set, not verified.
 * @returns the provider, or null when the token looks like none of them.
 * @example
 * guessProvider({ iss: 'https://acme.auth0.com/' }); // 'auth0'
 */
export function guessProvider(claims: Readonly<Record<string, unknown>>): ProviderName | null {
  const { iss, sub } = claims;
  if (typeof iss === 'string') for (const [name, form] of issuerForms) if (form.test(iss)) return name;
  if (typeof sub === 'string' && sub.startsWith('spiffe://')) return 'spiffe';
  const names = Object.keys(claims);
  return claimForms.find(([, form]) => names.some((name) => form.test(name)))?.[0] ?? null;
}
