import { type Loaded, loadConfig } from '../config/load.ts';
import { POLICY, policyMembers } from '../config/policy/policy-document.ts';
import type { Place } from '../config/rules/check.ts';

type Env = Readonly<Record<string, unknown>>;

const PLACE: Place = { platform: 'cli', role: 'gateway', upstreamBinding: true, bucketBinding: false };

/**
 * The operator's variables without those that a policy document replaces: what is left is read from files and stores first.
 *
 * @param env - the operator's variables.
 * @returns the variables that hold beside a document.
 */
export function besidePolicy<T>(env: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  const replaced = new Set([POLICY, ...[...policyMembers.values()].map(({ name }) => name)]);
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !replaced.has(name) && !replaced.has(name.replace(/_FILE$/, ''))),
  );
}

/**
 * The configuration in which a policy document decides. Where the environment names no way to authenticate, tokens count,
 * and certificates too where the document has rules for them; the secret of that stand-in signs nothing that leaves the
 * process. Scopes are demanded unless the environment says otherwise.
 *
 * @param document - the policy document as JSON; null: the environment alone.
 * @param env - the operator's variables, files and stores read.
 * @returns the configuration, or every problem of it.
 */
export function loadPolicy(document: string | null, env: Env): Loaded {
  if (document === null) return loadConfig(env, PLACE);
  const kept = besidePolicy(env);
  const standIn = kept.TGEFD_AUTH_MODE === undefined ? standInOf(document) : {};
  return loadConfig({ TGEFD_RBAC_ENABLED: 'true', ...kept, ...standIn, [POLICY]: document }, PLACE);
}

function standInOf(document: string): Record<string, string> {
  const members = Object.keys(objectIn(document));
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: members.includes('mtls') ? 'jwt,mtls' : 'jwt',
    ...(members.includes('issuers') ? {} : { TGEFD_JWT_SECRET: 'x'.repeat(32) }),
  };
}

function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
