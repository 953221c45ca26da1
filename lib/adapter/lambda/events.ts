import * as z from 'zod/mini';
import type { AccessRequest, Hop } from '../../decision/request.ts';
import { type MethodArn, namesMethod, parseMethodArn } from './arn.ts';
import { fieldsOf, parametersOf } from './fields.ts';
import { apiPath, encodePath, encodeQuery, type PathForm } from './target.ts';

/** One call of API Gateway for a decision, told apart and typed; nothing in it is believed yet. */
export interface AuthorizerCall {
  readonly request: AccessRequest;
  /** The route as API Gateway compares it with a policy. */
  readonly arn: MethodArn;
}

export type HopCertificate = Pick<Hop, 'certificate' | 'certificateRefusal'>;

export interface EventSettings {
  /** Field under which the one value of a TOKEN event counts (`authorization`, `x-api-key`, …), lower case. */
  readonly tokenField: string;
  /** Reads the certificate that API Gateway has verified. Never rejects: a certificate that cannot be read is refused. */
  readonly readCertificate: (pem: string) => Promise<HopCertificate>;
}

/** The event is not one of the shapes that API Gateway sends. Names the place in the event, never what stands there. */
export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent';
}

const fields = z.nullish(z.record(z.string(), z.nullish(z.string())));
const manyFields = z.nullish(z.record(z.string(), z.nullish(z.array(z.string()))));
const certificate = z.nullish(z.object({ clientCertPem: z.string() }));

const tokenEvent = z.object({
  type: z.literal('TOKEN'),
  methodArn: z.string(),
  authorizationToken: z.string(),
});

// One schema for REST REQUEST and for HTTP API 1.0, which was made to look like it.
const requestEvent = z.object({
  type: z.literal('REQUEST'),
  version: z.nullish(z.literal('1.0')),
  methodArn: z.string(),
  path: z.string(),
  httpMethod: z.string(),
  headers: fields,
  multiValueHeaders: manyFields,
  queryStringParameters: fields,
  multiValueQueryStringParameters: manyFields,
  requestContext: z.object({
    domainName: z.nullish(z.string()),
    path: z.nullish(z.string()),
    identity: z.nullish(z.object({ sourceIp: z.nullish(z.string()), clientCert: certificate })),
  }),
});

const httpEvent = z.object({
  type: z.literal('REQUEST'),
  version: z.literal('2.0'),
  routeArn: z.string(),
  rawPath: z.string(),
  rawQueryString: z.nullish(z.string()),
  headers: fields,
  requestContext: z.object({
    domainName: z.nullish(z.string()),
    authentication: z.nullish(z.object({ clientCert: certificate })),
    http: z.object({ method: z.string(), sourceIp: z.nullish(z.string()) }),
  }),
});

/**
 * Turns an event of a Lambda authorizer into an access request: REST TOKEN, REST REQUEST, HTTP API 1.0 or HTTP API 2.0
 * (simple and IAM answers are asked for by the same event). Field names are read in any letter case, and a field that
 * comes twice in two spellings is one repeated field. Stage and base path of a custom domain are left out: the target
 * is the path of the API, as the ARN has it. A path and an ARN, or two methods, that do not mean the same give a target
 * or method that every later step refuses. Throws {@link MalformedEvent} for anything else that API Gateway never sends.
 * Does not check what the fields say, nor that the event comes from API Gateway: the function's own policy does.
 */
export function readEvent(event: unknown, settings: EventSettings): AuthorizerCall | Promise<AuthorizerCall> {
  const head: { type?: unknown; version?: unknown } = typeof event === 'object' && event !== null ? event : {};
  if (head.type === 'TOKEN') return readTokenEvent(parse(tokenEvent, event), settings);
  if (head.version === '2.0') return readHttpEvent(parse(httpEvent, event), settings);
  return readRequestEvent(parse(requestEvent, event), settings);
}

function readTokenEvent(event: z.infer<typeof tokenEvent>, settings: EventSettings): AuthorizerCall {
  const arn = readArn(event.methodArn);
  const headers = fieldsOf(undefined, { [settings.tokenField]: event.authorizationToken });
  return {
    arn,
    request: {
      door: 'lambda_rest_token',
      method: arn.method,
      target: encodePath(`/${arn.path}`, 'encoded'),
      headers,
      hop: { peerAddress: null, secure: true, certificate: null },
    },
  };
}

function readRequestEvent(event: z.infer<typeof requestEvent>, settings: EventSettings) {
  const arn = readArn(event.methodArn);
  const { domainName, identity } = event.requestContext;
  const form: PathForm = event.version === '1.0' ? 'decoded' : 'encoded';
  const query = encodeQuery(parametersOf(event.multiValueQueryStringParameters, event.queryStringParameters));
  const request = {
    door: event.version === '1.0' ? ('lambda_http_1' as const) : ('lambda_rest_request' as const),
    method: namesMethod(arn, event.httpMethod) ? event.httpMethod : '',
    target: target(apiPath({ path: event.path, form, domain: domainName ?? null }, arn), query),
    ...calledPath(event.requestContext.path, form),
    headers: fieldsOf(event.multiValueHeaders, event.headers),
  };
  const shown = { sourceIp: identity?.sourceIp, certificate: identity?.clientCert };
  // HTTP APIs join a repeated field here too; REST APIs show each value apart.
  return withHop(request, arn, { ...shown, joinsFields: event.multiValueHeaders == null }, settings);
}

function readHttpEvent(event: z.infer<typeof httpEvent>, settings: EventSettings) {
  const arn = readArn(event.routeArn);
  const { domainName, http, authentication } = event.requestContext;
  const request = {
    door: 'lambda_http_2' as const,
    method: namesMethod(arn, http.method) ? http.method : '',
    target: target(
      apiPath({ path: event.rawPath, form: 'decoded', domain: domainName ?? null }, arn),
      event.rawQueryString ?? '',
    ),
    ...calledPath(event.rawPath, 'decoded'),
    headers: fieldsOf(undefined, event.headers),
  };
  const shown = { sourceIp: http.sourceIp, certificate: authentication?.clientCert, joinsFields: true };
  return withHop(request, arn, shown, settings);
}

/** The path with its stage or base path, which is the one that a proof of possession names. */
function calledPath(path: string | null | undefined, form: PathForm): Pick<AccessRequest, 'calledPath'> {
  return path == null ? {} : { calledPath: encodePath(path, form) };
}

interface ShownHop {
  readonly sourceIp: string | null | undefined;
  readonly certificate: z.infer<typeof certificate>;
  readonly joinsFields: boolean;
}

/** Adds what API Gateway itself vouches for. It only ever speaks TLS. */
function withHop(
  request: Omit<AccessRequest, 'hop'>,
  arn: MethodArn,
  { sourceIp, certificate: shown, joinsFields }: ShownHop,
  settings: EventSettings,
): AuthorizerCall | Promise<AuthorizerCall> {
  const call = (presented: HopCertificate): AuthorizerCall => ({
    arn,
    request: {
      ...request,
      hop: {
        peerAddress: sourceIp ?? null,
        secure: true,
        ...(joinsFields ? { joinsFields } : {}),
        ...presented,
      },
    },
  });
  return shown ? settings.readCertificate(shown.clientCertPem).then(call) : call({ certificate: null });
}

function parse<T extends z.ZodMiniType>(schema: T, event: unknown): z.infer<T> {
  const parsed = z.safeParse(schema, event);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => issue.path.join('.') || 'event');
  throw new MalformedEvent(`not an authorizer event of API Gateway: ${[...new Set(places)].join(', ')}`);
}

function readArn(text: string): MethodArn {
  const arn = parseMethodArn(text);
  if (arn === null) throw new MalformedEvent('not an authorizer event of API Gateway: the ARN');
  return arn;
}

function target(path: string, query: string): string {
  return path === '' || query === '' ? path : `${path}?${query}`;
}
