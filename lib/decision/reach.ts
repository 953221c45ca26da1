import type { AccessRequest, RequestSource, Route } from './request.ts';
import type { EnforceSettings } from './steps.ts';

/** Proxies and applications that go on with the request as they received it: only a canonical path is there the path that was matched. */
export const ASKS_ONLY: ReadonlySet<RequestSource> = new Set(['library', 'nginx', 'traefik', 'caddy', 'envoy']);

/**
 * Our own endpoints exist at the gateway only, where no proxy can send them on to the upstream; all others exist at the
 * gateway only where it forwards.
 */
export function reachable(route: Route, { door }: AccessRequest, { forwards }: EnforceSettings): Route {
  if (route.found === 'nothing') return route;
  const own = route.found === 'endpoint' ? route.endpoint.own : route.found === 'other_methods' && route.own;
  if (own) return door === 'gateway' ? route : { found: 'nothing' };
  return door !== 'gateway' || forwards ? route : { found: 'nothing' };
}

export function explainRoute(route: Route): string {
  switch (route.found) {
    case 'endpoint':
      return `${route.endpoint.action} (${route.endpoint.method} ${route.endpoint.pattern})`;
    case 'by_message':
      return `${route.pattern}, and the message decides among ${route.rows.length} rows`;
    case 'other_methods':
      return `${route.pattern}, but only ${route.allow.join(', ')}`;
    case 'nothing':
      return 'no row of the endpoint table matches';
  }
}
