import type { CheckedDeployment } from './settings.ts';

/** One route of an API: a row of the endpoint table, or HEAD where there is GET (RFC 9110 §9.3.2). */
export interface ApiRoute {
  readonly method: string;
  readonly path: string;
}

/** Exactly the rows of the endpoint table: a path that no row names does not exist at the API. Our own endpoints never do. */
export function routesOf({ config }: CheckedDeployment): readonly ApiRoute[] {
  return config.documents.endpoints
    .filter(({ own }) => !own)
    .flatMap(({ method, pattern }) =>
      (method === 'GET' ? ['GET', 'HEAD'] : [method]).map((one) => ({ method: one, path: pattern })),
    );
}
