import { CONNECTION_FIELDS } from '../../request/field-names.ts';
import type { SettingKey } from '../variables.ts';
import type { Check } from './check.ts';

/** Fields that mean something else already: to HTTP, to the boundary, or to the upstream. */
const TAKEN: ReadonlySet<string> = new Set([
  ...CONNECTION_FIELDS,
  'content-encoding',
  'content-type',
  'cookie',
  'dpop',
  'forwarded',
  'origin',
  'traceparent',
  'tracestate',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-method',
  'x-forwarded-proto',
  'x-forwarded-uri',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-request-id',
  'x-tgefd-assertion',
  'x-tgefd-ingress-proof',
]);
/** What the authorizer itself says of a caller beside the user. */
const SAID_UPSTREAM = ['x-auth-request-scopes', 'x-auth-request-method', 'x-auth-request-issuer'];

const BELIEVED = ['identityHeader', 'mtlsIdentityHeader', 'mtlsScopesHeader', 'mtlsRoleHeader'] as const;

/** No setting may name a field that has another meaning, and no field may have two meanings. */
export function checkFieldNames({ settings, name, problem }: Check): void {
  const taken = (key: SettingKey, field: string | null, ...more: readonly string[]) => {
    if (field !== null && (TAKEN.has(field) || more.includes(field)))
      problem(key, `\`${field}\`, which means something else`, 'a header field of its own');
  };
  taken('jwtHeader', settings.jwtHeader, 'x-auth-request-user', ...SAID_UPSTREAM);
  taken('identityHeader', settings.identityHeader, 'authorization', 'x-api-key', ...SAID_UPSTREAM);
  for (const key of BELIEVED.slice(1)) taken(key, settings[key], 'authorization', 'x-api-key');

  const shared = (key: SettingKey, other: SettingKey) => {
    const field = settings[key];
    if (field !== null && field !== 'authorization' && field === settings[other])
      problem(key, `\`${field}\`, as ${name(other)}`, 'a header field of its own');
  };
  for (const key of BELIEVED) shared(key, 'jwtHeader');
  for (const key of ['mtlsScopesHeader', 'mtlsRoleHeader'] as const)
    for (const other of ['identityHeader', 'mtlsIdentityHeader'] as const) shared(key, other);
  shared('mtlsRoleHeader', 'mtlsScopesHeader');
}
