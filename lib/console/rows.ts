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
];
/** The endpoint table of the console. */
export function consoleRows(scope: string): readonly Endpoint[] {
  return VIEWS.map(([method, pattern, action]) => ({
    action: `console_${action}`,
    method,
    pattern,
    scope,
    budget: 'none',
    own: true,
  }));
}
