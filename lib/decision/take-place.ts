import type { Step, Steps } from './steps.ts';

/** How soon a place may be free again; nobody knows. */
const RETRY_SECONDS = 1;

/**
 * Between authorization and admission: takes a place among the requests that this identity has under way at the gateway.
 * The gateway's own endpoints need none. Elsewhere nobody knows when the answer has left, so nothing is counted.
 */
export function takePlace(steps: Steps): Step {
  return (walk) => {
    const { request, route, principal, boundary, refusal } = walk;
    if (steps.underWay === null || request.door !== 'gateway' || principal === null || refusal !== null) return null;
    if (route.found !== 'by_message' && (route.found !== 'endpoint' || route.endpoint.own)) return null;
    const isNobody = principal.method === 'none' && boundary.ingressIdentity === null;
    const partition = isNobody ? `address ${boundary.addressPartition}` : `identity ${principal.identity}`;
    walk.leave = steps.underWay.enter(partition, walk.startedMs);
    if (walk.leave !== null) return null;
    return { reason: 'too_many_requests_under_way', retryAfterSeconds: RETRY_SECONDS };
  };
}
