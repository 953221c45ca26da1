import { authentication } from './chapters/identity/authentication.ts';
import { dpop } from './chapters/identity/dpop.ts';
import { jwt } from './chapters/identity/jwt.ts';
import { keySet } from './chapters/identity/key-set.ts';
import { mtls } from './chapters/identity/mtls.ts';
import { protectedResource } from './chapters/identity/protected-resource.ts';
import { scopesAndRoles } from './chapters/identity/scopes.ts';
import { sharedSignals } from './chapters/identity/shared-signals.ts';
import { operatorConsole } from './chapters/operation/console.ts';
import { observation } from './chapters/operation/observation.ts';
import { secrets } from './chapters/operation/secrets.ts';
import { shadow } from './chapters/operation/shadow.ts';
import { apiGateway } from './chapters/request/api-gateway.ts';
import { boundary } from './chapters/request/boundary.ts';
import { general } from './chapters/request/general.ts';
import { transport } from './chapters/request/transport.ts';
import { upstream } from './chapters/request/upstream.ts';
import { archive } from './chapters/store/archive.ts';
import { audit } from './chapters/store/audit.ts';
import { limits } from './chapters/store/limits.ts';
import { redis } from './chapters/store/redis.ts';
import { revocation } from './chapters/store/revocation.ts';
import type { Kind } from './kinds.ts';
import type { Secret, Variable } from './variable.ts';

/**
 * Every variable of the product: the one table that parsing, `check-config`, `docs/reference/configuration.md` and the wiring tests
 * read. Each chapter has a file of its own; what variables demand of each other stands in `rules.ts`.
 */
export const variables = {
  ...general,
  ...authentication,
  ...jwt,
  ...keySet,
  ...dpop,
  ...protectedResource,
  ...sharedSignals,
  ...mtls,
  ...scopesAndRoles,
  ...boundary,
  ...upstream,
  ...limits,
  ...revocation,
  ...redis,
  ...audit,
  ...archive,
  ...transport,
  ...apiGateway,
  ...observation,
  ...operatorConsole,
  ...shadow,
  ...secrets,
} as const;

type Table = typeof variables;

/** The value of every variable, by its key in the table. Secrets carry the value that is being rotated out. */
export type Settings = {
  readonly [K in keyof Table]: Table[K] extends { readonly secret: true; readonly kind: Kind<infer T> }
    ? Secret<T> | null
    : Table[K] extends Variable<infer T, infer D>
      ? T | D
      : never;
};

export type SettingKey = keyof Table;

/** Every row of the table with its key, for whoever walks over all of them. */
export const variableEntries = Object.entries(variables) as unknown as readonly (readonly [
  SettingKey,
  Variable<unknown, unknown>,
])[];
