import type { AccessRequest, Hop } from '../../decision/request.ts';
import { after, type Eventually } from '../../decision/steps.ts';
import { type MethodArn, namesMethod, parseMethodArn } from './arn.ts';
import { EventShape, isMembers, type Members } from './event-shape.ts';
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

/**
 * Turns an event of a Lambda authorizer into an access request: REST TOKEN, REST REQUEST, HTTP API 1.0 or HTTP API 2.0
 * (simple and IAM answers are asked for by the same event). Field names are read in any letter case, and a field that
 * comes twice in two spellings is one repeated field. Stage and base path of a custom domain are left out: the target
 * is the path of the API, as the ARN has it. A path and an ARN, or two methods, that do not mean the same give a target
 * or method that every later step refuses. Throws {@link MalformedEvent} for anything else that API Gateway never sends.
 * Does not check what the fields say, nor that the event comes from API Gateway: the function's own policy does.
 */
export function readEvent(event: unknown, settings: EventSettings): Eventually<AuthorizerCall> {
  if (!isMembers(event)) throw malformed(['event']);
  if (event.type === 'TOKEN') return readTokenEvent(event, settings);
  return event.version === '2.0' ? readHttpEvent(event, settings) : readRequestEvent(event, settings);
}

function readTokenEvent(event: Members, settings: EventSettings): AuthorizerCall {
  const shape = new EventShape();
  const methodArn = shape.text(event.methodArn, 'methodArn');
  const token = shape.text(event.authorizationToken, 'authorizationToken');
  const arn = readArn(methodArn, shape);
  return {
    arn,
    request: {
      door: 'lambda_rest_token',
      method: arn.method,
      target: encodePath(`/${arn.path}`, 'encoded'),
      headers: fieldsOf(null, { [settings.tokenField]: token }),
      hop: { peerAddress: null, secure: true, certificate: null },
    },
  };
}

/** One reader for REST REQUEST and for HTTP API 1.0, which was made to look like it. */
function readRequestEvent(event: Members, settings: EventSettings): Eventually<AuthorizerCall> {
  const shape = new EventShape();
  shape.oneOf(event.type, ['REQUEST'], 'type');
  shape.oneOf(event.version, ['1.0', null, undefined], 'version');
  const methodArn = shape.text(event.methodArn, 'methodArn');
  const path = shape.text(event.path, 'path');
  const method = shape.text(event.httpMethod, 'httpMethod');
  const headers = shape.texts(event.headers, 'headers');
  const manyHeaders = shape.manyTexts(event.multiValueHeaders, 'multiValueHeaders');
  const query = shape.texts(event.queryStringParameters, 'queryStringParameters');
  const manyQuery = shape.manyTexts(event.multiValueQueryStringParameters, 'multiValueQueryStringParameters');
  const context = shape.object(event.requestContext, 'requestContext');
  const domain = shape.optionalText(context?.domainName, 'requestContext.domainName');
  const called = shape.optionalText(context?.path, 'requestContext.path');
  const identity = shape.optionalObject(context?.identity, 'requestContext.identity');
  const sourceIp = shape.optionalText(identity?.sourceIp, 'requestContext.identity.sourceIp');
  const pem = certificatePem(identity?.clientCert, 'requestContext.identity.clientCert', shape);
  const arn = readArn(methodArn, shape);
  const form: PathForm = event.version === '1.0' ? 'decoded' : 'encoded';
  // HTTP APIs join a repeated field here too; REST APIs show each value apart.
  return after(hopOf({ sourceIp, pem, joinsFields: manyHeaders === null }, settings), (hop) => ({
    arn,
    request: {
      door: form === 'decoded' ? 'lambda_http_1' : 'lambda_rest_request',
      method: namesMethod(arn, method) ? method : '',
      target: target(apiPath({ path, form, domain }, arn), encodeQuery(parametersOf(manyQuery, query))),
      ...(called === null ? {} : { calledPath: encodePath(called, form) }),
      headers: fieldsOf(manyHeaders, headers),
      hop,
    },
  }));
}

function readHttpEvent(event: Members, settings: EventSettings): Eventually<AuthorizerCall> {
  const shape = new EventShape();
  shape.oneOf(event.type, ['REQUEST'], 'type');
  const routeArn = shape.text(event.routeArn, 'routeArn');
  const path = shape.text(event.rawPath, 'rawPath');
  const query = shape.optionalText(event.rawQueryString, 'rawQueryString');
  const headers = shape.texts(event.headers, 'headers');
  const context = shape.object(event.requestContext, 'requestContext');
  const domain = shape.optionalText(context?.domainName, 'requestContext.domainName');
  const authentication = shape.optionalObject(context?.authentication, 'requestContext.authentication');
  const pem = certificatePem(authentication?.clientCert, 'requestContext.authentication.clientCert', shape);
  const http = context && shape.object(context.http, 'requestContext.http');
  const method = http === null ? '' : shape.text(http.method, 'requestContext.http.method');
  const sourceIp = shape.optionalText(http?.sourceIp, 'requestContext.http.sourceIp');
  const arn = readArn(routeArn, shape);
  return after(hopOf({ sourceIp, pem, joinsFields: true }, settings), (hop) => ({
    arn,
    request: {
      door: 'lambda_http_2',
      method: namesMethod(arn, method) ? method : '',
      target: target(apiPath({ path, form: 'decoded', domain }, arn), query ?? ''),
      calledPath: encodePath(path, 'decoded'),
      headers: fieldsOf(null, headers),
      hop,
    },
  }));
}

interface ShownHop {
  readonly sourceIp: string | null;
  /** The certificate that API Gateway has verified, or null. */
  readonly pem: string | null;
  readonly joinsFields: boolean;
}

/** What API Gateway itself vouches for. It only ever speaks TLS. */
function hopOf({ sourceIp: peerAddress, pem, joinsFields }: ShownHop, settings: EventSettings): Eventually<Hop> {
  const hop = joinsFields ? { peerAddress, secure: true, joinsFields } : { peerAddress, secure: true };
  if (pem === null) return { ...hop, certificate: null };
  return settings.readCertificate(pem).then((presented) => ({ ...hop, ...presented }));
}

function certificatePem(value: unknown, place: string, shape: EventShape): string | null {
  const certificate = shape.optionalObject(value, place);
  return certificate && shape.text(certificate.clientCertPem, `${place}.clientCertPem`);
}

/** The ARN of an event that was looked at whole; throws where anything in it is not as it must be. */
function readArn(text: string, { faults }: EventShape): MethodArn {
  if (faults.length > 0) throw malformed(faults);
  const arn = parseMethodArn(text);
  if (arn === null) throw malformed(['the ARN']);
  return arn;
}

function malformed(places: readonly string[]): MalformedEvent {
  return new MalformedEvent(`not an authorizer event of API Gateway: ${places.join(', ')}`);
}

function target(path: string, query: string): string {
  return path === '' || query === '' ? path : `${path}?${query}`;
}
