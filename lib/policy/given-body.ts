import { utf8 } from '../codec/digest.ts';
import type { AccessRequest } from '../decision/request.ts';
import { bodyRefused } from '../request/body-refused.ts';
import { rawFields } from '../request/raw-fields.ts';

/** Makes the request of a command, read as the gateway reads one. Without a body nobody sees one: fields decide alone. */
export function givenRequest(
  request: Omit<AccessRequest, 'headers' | 'hasBody' | 'readBody'>,
  fields: readonly string[],
  body: string | undefined,
): AccessRequest {
  if (body === undefined) return { ...request, headers: rawFields(fields) };
  const bytes = utf8(body);
  const isDeclared = fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-length');
  return bodyRefused({
    ...request,
    headers: rawFields(isDeclared ? fields : [...fields, 'content-length', String(bytes.byteLength)]),
    hasBody: bytes.byteLength > 0,
    readBody: async (maximumBytes) => (bytes.byteLength > maximumBytes ? 'too_long' : bytes),
  });
}
