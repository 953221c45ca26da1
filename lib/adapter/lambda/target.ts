import type { MethodArn } from './arn.ts';

/** How the event writes its path: HTTP APIs decode it once before they show it, REST APIs leave it alone. */
export type PathForm = 'encoded' | 'decoded';

export interface EventPath {
  /** The path of the event: with the stage or the base path of a custom domain in front, or without. */
  readonly path: string;
  readonly form: PathForm;
  /** Host of the API, or null where the event does not say. */
  readonly domain: string | null;
}

const FORBIDDEN = { encoded: /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, decoded: /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/gu };

const PLAIN = /^[A-Za-z0-9\-._~/]+$/;

/**
 * The path of the API that an event asks for, percent-encoded, with the stage and the base path mapping of a custom domain
 * left out: that is the tail of the event's path which means what the ARN says. Gives an empty string, which is no target
 * and which every later step refuses, where path and ARN disagree: API Gateway judges by the one, the upstream may see the other.
 * What an HTTP API has decoded is encoded again whole, so that a `%` in it stays the character that it was.
 */
export function apiPath(event: EventPath, arn: MethodArn): string {
  // What nearly every request is: the ARN's own path, nothing in it to encode, at the end of the event's.
  if (PLAIN.test(arn.path) && event.path.endsWith(`/${arn.path}`)) return `/${arn.path}`;
  if (!event.path.startsWith('/')) return '';
  const segments = event.path.slice(1).split('/');
  const tail = tailLike(withoutStage(segments, event, arn), arn) ?? tailLike(segments, arn);
  return tail === null ? '' : encodePath(`/${tail.join('/')}`, event.form);
}

/** Percent-encodes what may not stand in a path (RFC 3986 §3.3), or gives an empty string where that is not text. */
export function encodePath(path: string, form: PathForm): string {
  if (PLAIN.test(path)) return path;
  return path.isWellFormed() ? path.replace(FORBIDDEN[form], encodeURIComponent) : '';
}

/** Query of an event that only shows decoded parameters, encoded again, without `?`. Not byte for byte what was sent. */
export function encodeQuery(parameters: Iterable<readonly [string, string]>): string {
  return new URLSearchParams([...parameters].map(([name, value]) => [name, value])).toString();
}

/** An HTTP API's own endpoint puts the stage in front of the path; a custom domain does not. */
function withoutStage(segments: readonly string[], event: EventPath, arn: MethodArn): readonly string[] {
  const ownEndpoint = event.domain === null || event.domain.includes('.execute-api.');
  return event.form === 'decoded' && ownEndpoint && segments[0] === arn.stage ? segments.slice(1) : segments;
}

function tailLike(segments: readonly string[], arn: MethodArn): readonly string[] | null {
  if (arn.method === '$default') return segments;
  const shape = arn.path.split('/');
  if (shape.at(-1)?.endsWith('+}')) return matches(segments, shape) ? segments : null;
  const tail = segments.slice(-shape.length);
  return tail.length === shape.length && matches(tail, shape) ? tail : null;
}

function matches(segments: readonly string[], shape: readonly string[]): boolean {
  return shape.every((expected, place) => {
    const segment = segments[place];
    if (segment === undefined) return false;
    return expected === segment || isTemplate(expected) || sameText(expected, segment);
  });
}

/** No request can send a bare brace: a segment with one is from the template of a route. */
function isTemplate(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}');
}

function sameText(one: string, other: string): boolean {
  try {
    return decodeURIComponent(one) === decodeURIComponent(other);
  } catch {
    return false;
  }
}
