import type { SettingKey, Settings } from '../variables.ts';
import type { Check } from './check.ts';

/** Settings that name a header which a trusted ingress may set. */
const headerSettings = ['identityHeader', 'mtlsIdentityHeader', 'mtlsScopesHeader', 'mtlsRoleHeader'] as const;

/** Families of names that every documented proxy file removes from callers. */
const STRIPPED_FAMILIES = /^(x-ssl-|ssl-client-|x-auth-request-|x-tgefd-|client-cert|x-forwarded-)/;

/** The headers that an ingress may set by this configuration, each once, with the setting that names it first. */
export function ingressHeaders(settings: Settings): ReadonlyMap<string, SettingKey> {
  const names = new Map<string, SettingKey>();
  for (const key of headerSettings) {
    const name = settings[key];
    if (name !== null && !names.has(name)) names.set(name, key);
  }
  return names;
}

/** Names that every documented file for a proxy in front of the gateway removes from callers. */
const STRIPPED_BEFORE_GATEWAY = /^(x-ssl-client-(subject|scopes|roles)|x-auth-request-user)$/;

/** Headers that a trusted proxy in front of the gateway is believed, and that its documented file does not remove from callers. */
export function unstrippedHeaders(settings: Settings): readonly (readonly [name: string, key: SettingKey])[] {
  if (settings.forwardAuth !== 'off' || settings.trustedProxies.trim() === '') return [];
  return [...ingressHeaders(settings)].filter(([name]) => !STRIPPED_BEFORE_GATEWAY.test(name));
}

/**
 * A proxy that asks must remove from callers what it is believed. The documented files do so for some families; of every
 * other name the operator must say that the ingress removes it. In front of the gateway that is a warning.
 */
export function checkIngress({ settings, problem, warning }: Check): void {
  const { forwardAuth, ingressStrips } = settings;
  const names = ingressHeaders(settings);
  for (const name of ingressStrips)
    if (!names.has(name)) warning('ingressStrips', `\`${name}\``, 'names of headers that the configuration believes');
  for (const [name, key] of unstrippedHeaders(settings))
    if (!ingressStrips.includes(name))
      warning(
        key,
        `\`${name}\`, which a trusted proxy is believed and the documented proxy files do not remove from callers`,
        'a proxy that removes it from callers, and then this name in TGEFD_INGRESS_STRIPS',
      );
  if (forwardAuth === 'off') return;
  for (const [name, key] of names)
    if (!STRIPPED_FAMILIES.test(name) && !ingressStrips.includes(name))
      problem(
        key,
        `\`${name}\`, which the documented proxy files do not remove from callers`,
        `a name that begins with x-ssl-, ssl-client-, x-auth-request-, x-tgefd-, client-cert or x-forwarded-; or this one in TGEFD_INGRESS_STRIPS, once the ingress removes it`,
      );
}
