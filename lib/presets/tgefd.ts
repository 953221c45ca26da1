import type { Endpoint } from '../decision/request.ts';

/** Scopes that guard the endpoints of the TGEFD service. */
export interface TgefdScopes {
  readonly discover: string;
  readonly evaluate: string;
  readonly jobs: string;
  readonly metrics: string;
}

/** Default names of those scopes. */
export const tgefdScopes: TgefdScopes = {
  discover: 'discover',
  evaluate: 'evaluate',
  jobs: 'jobs',
  metrics: 'metrics',
};

/** What the three roles of the service may do by default. */
export const tgefdRoleScopes: {
  readonly admin: readonly string[];
  readonly analyst: readonly string[];
  readonly reader: readonly string[];
} = {
  admin: ['*'],
  analyst: ['discover', 'evaluate', 'jobs', 'metrics'],
  reader: ['metrics', 'jobs'],
};

/**
 * The seven endpoints of the TGEFD service, which `TGEFD_PRESET=tgefd` puts into the table.
 *
 * @param scopes - the scope that each endpoint demands.
 * @returns the rows of the table.
 * @example
 * tgefdEndpoints(tgefdScopes).map(({ method, pattern }) => `${method} ${pattern}`);
 */
export function tgefdEndpoints(scopes: TgefdScopes): readonly Endpoint[] {
  const heavy = (action: string, scope: string): Endpoint => ({
    action,
    method: 'POST',
    pattern: `/v1/${action}`,
    scope,
    budget: 'heavy',
    own: false,
  });
  const read = (action: string, pattern: string, scope: string): Endpoint => ({
    action,
    method: 'GET',
    pattern,
    scope,
    budget: 'read',
    own: false,
  });
  return [
    heavy('discover', scopes.discover),
    heavy('discover_async', scopes.discover),
    heavy('evaluate', scopes.evaluate),
    heavy('evaluate_async', scopes.evaluate),
    read('jobs', '/v1/jobs/{job_id}', scopes.jobs),
    read('metrics', '/v1/metrics', scopes.metrics),
    read('metrics', '/metrics', scopes.metrics),
  ];
}
