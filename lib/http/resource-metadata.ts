import { denialAnswer } from '../respond/denial.ts';
import { isMetadataPath } from '../respond/protected-resource.ts';
import { webAnswer, webResponse } from './web-response.ts';

/** The identifier of a protected resource, and its metadata as JSON text. */
export interface ProtectedResource {
  readonly identifier: URL;
  readonly metadata: string;
}

/** Anybody may read it, from any origin: it holds nothing but what every challenge tells (RFC 9728 §3.1). */
const CORS = [
  ['access-control-allow-origin', '*'],
  ['access-control-allow-methods', 'GET, HEAD'],
  ['access-control-allow-headers', '*'],
] as const;

/** Answers a request for the metadata of the protected resource; null where the path is not one of it. No credentials. */
export function metadataAnswer(
  resource: ProtectedResource,
  method: string,
  path: string,
  newId: () => string,
): Response | null {
  if (!isMetadataPath(path, resource.identifier)) return null;
  if (method === 'OPTIONS') return webResponse(204, CORS, null);
  if (method !== 'GET' && method !== 'HEAD') {
    const told = { requestId: newId(), authMethod: 'none' } as const;
    return webAnswer(denialAnswer({ reason: 'method_unknown', allow: ['GET', 'HEAD'] }, told));
  }
  return webResponse(
    200,
    [['content-type', 'application/json'], ['cache-control', 'public, max-age=300'], ...CORS],
    method === 'HEAD' ? null : resource.metadata,
  );
}
