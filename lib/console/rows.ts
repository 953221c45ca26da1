import type { Endpoint } from '../decision/request.ts';

/** What operators may do at the console, as endpoint rows: our own pipeline decides about every one of them. */
const VIEWS: readonly (readonly [method: string, path: string, action: string])[] = [
  ['POST', '/sign-in', 'sign_in'],
  ['POST', '/sign-out', 'sign_out'],
  ['GET', '/', 'denied'],
  ['GET', '/live', 'denied_live'],
  ['GET', '/why', 'why'],
  ['POST', '/why', 'explain'],
  ['GET', '/health', 'health'],
  ['GET', '/identities', 'identities'],
  ['POST', '/identities', 'identity'],
  ['GET', '/audit', 'audit'],
  ['POST', '/audit/verify', 'audit_verify'],
  ['POST', '/audit/download', 'audit_download'],
  ['GET', '/policy', 'policy'],
  ['POST', '/policy', 'policy_test'],
  ['GET', '/revoke', 'revocations'],
];
const ACTIONS: typeof VIEWS = [
  ['POST', '/revoke', 'revoke_ask'],
  ['POST', '/revoke/confirmed', 'revoke'],
  ['POST', '/revoke/take-back', 'revoke_take_back'],
];

/** The endpoint table of the console: to look takes one scope, to act takes that and another. */
export function consoleRows(scopes: { readonly look: string; readonly act: string }): readonly Endpoint[] {
  const row = (scope: Endpoint['scope'], [method, pattern, action]: (typeof VIEWS)[number]): Endpoint => ({
    action: `console_${action}`,
    method,
    pattern,
    scope,
    budget: 'none',
    own: true,
  });
  return [
    ...VIEWS.map((view) => row(scopes.look, view)),
    ...ACTIONS.map((action) => row({ all: [scopes.look, scopes.act] }, action)),
  ];
}
