/** What the client sent, as it stood on the wire. */
export interface ClientRequest {
  readonly method: string;
  /** Raw target, with the stage or base path in front where the API has one. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly sourceIp: string;
  /** Certificate of a mutual TLS connection that API Gateway has checked against its trust store. */
  readonly clientCertPem?: string;
}

export type EventShape = 'rest_token' | 'rest_request' | 'http_1' | 'http_2';

/** Where a request has arrived: what API Gateway knows of its own. */
export interface Arrival {
  readonly region: string;
  readonly accountId: string;
  readonly apiId: string;
  readonly stage: string;
  readonly domainName: string;
  /** Template of the route or resource that matched. */
  readonly route: { readonly method: string; readonly path: string };
  /** Path of the API, raw: stage and base path removed. */
  readonly apiPath: string;
  readonly requestId: string;
  /** Value of the header that a TOKEN authorizer looks at, or null. */
  readonly token: string | null;
  readonly identitySources: readonly string[];
}

/** The ARN that a policy is judged on. REST APIs keep the path as sent, HTTP APIs decode it first. */
export function arnOf(arrival: Arrival, method: string, decodePath: boolean): string {
  const { region, accountId, apiId, stage, apiPath } = arrival;
  const path = (decodePath ? decoded(apiPath) : apiPath).slice(1);
  return `arn:aws:execute-api:${region}:${accountId}:${apiId}/${stage}/${method}/${path}`;
}

/** The event of a Lambda authorizer as API Gateway builds it, through JSON as it travels. */
export function eventOf(shape: EventShape, request: ClientRequest, arrival: Arrival): unknown {
  return JSON.parse(JSON.stringify(builders[shape](request, arrival)));
}

const builders: Readonly<Record<EventShape, (request: ClientRequest, arrival: Arrival) => unknown>> = {
  rest_token: (request, arrival) => ({
    type: 'TOKEN',
    methodArn: arnOf(arrival, request.method, false),
    authorizationToken: arrival.token,
  }),
  rest_request: (request, arrival) => ({
    type: 'REQUEST',
    methodArn: arnOf(arrival, request.method, false),
    resource: arrival.route.path,
    path: withBasePath(request, arrival),
    httpMethod: request.method,
    headers: lastOf(received(request)),
    multiValueHeaders: allOf(received(request)),
    queryStringParameters: orNull(lastOf(queryOf(request))),
    multiValueQueryStringParameters: orNull(allOf(queryOf(request))),
    pathParameters: orNull(parametersOf(arrival, false)),
    stageVariables: null,
    requestContext: {
      ...contextOf(request, arrival),
      path: pathOf(request),
      resourceId: 'r1s2t3',
      resourcePath: arrival.route.path,
      httpMethod: request.method,
      protocol: 'HTTP/1.1',
      identity: {
        apiKey: null,
        sourceIp: request.sourceIp,
        userAgent: null,
        ...(request.clientCertPem && { clientCert: certificateOf(request.clientCertPem) }),
      },
    },
  }),
  http_1: (request, arrival) => ({
    version: '1.0',
    type: 'REQUEST',
    methodArn: arnOf(arrival, request.method, true),
    identitySource: arrival.identitySources.join(','),
    authorizationToken: arrival.identitySources.join(','),
    resource: arrival.route.path,
    path: decoded(pathOf(request)),
    httpMethod: request.method,
    headers: Object.fromEntries(joined(received(request)).map(([name, value]) => [canonicalName(name), value])),
    queryStringParameters: lastOf(queryOf(request)),
    pathParameters: parametersOf(arrival, true),
    stageVariables: {},
    requestContext: {
      ...contextOf(request, arrival),
      path: decoded(pathOf(request)),
      resourceId: `${arrival.route.method} ${arrival.route.path}`,
      resourcePath: arrival.route.path,
      httpMethod: request.method,
      protocol: 'HTTP/1.1',
      identity: {
        sourceIp: request.sourceIp,
        userAgent: null,
        ...(request.clientCertPem && { clientCert: certificateOf(request.clientCertPem) }),
      },
    },
  }),
  http_2: (request, arrival) => ({
    version: '2.0',
    type: 'REQUEST',
    routeArn: arnOf(arrival, request.method, true),
    identitySource: arrival.identitySources.length > 0 ? arrival.identitySources : null,
    routeKey: `${arrival.route.method} ${arrival.route.path}`,
    rawPath: decoded(pathOf(request)),
    rawQueryString: request.target.split('?')[1] ?? '',
    headers: Object.fromEntries(joined(received(request)).map(([name, value]) => [name.toLowerCase(), value])),
    queryStringParameters: Object.fromEntries(joined(queryOf(request))),
    pathParameters: parametersOf(arrival, true),
    requestContext: {
      ...contextOf(request, arrival),
      routeKey: `${arrival.route.method} ${arrival.route.path}`,
      http: {
        method: request.method,
        path: decoded(pathOf(request)),
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: '',
      },
      ...(request.clientCertPem && { authentication: { clientCert: certificateOf(request.clientCertPem) } }),
    },
  }),
};

export function pathOf(request: ClientRequest): string {
  return request.target.split('?')[0] ?? '';
}

/** A REST API shows the path without the stage, but with the base path of a custom domain. */
function withBasePath(request: ClientRequest, arrival: Arrival): string {
  const path = pathOf(request);
  const ownEndpoint = arrival.domainName.includes('.execute-api.');
  return ownEndpoint ? path.slice(`/${arrival.stage}`.length) || '/' : path;
}

function contextOf(_: ClientRequest, arrival: Arrival) {
  const { accountId, apiId, stage, domainName, requestId } = arrival;
  return { accountId, apiId, stage, domainName, domainPrefix: domainName.split('.')[0], requestId };
}

/** API Gateway adds itself to the forwarded fields; what the client sent stays in front. */
function received({ headers, sourceIp }: ClientRequest): [string, string][] {
  const before = headers.filter(([name]) => name.toLowerCase() === 'x-forwarded-for').map(([, value]) => value);
  const kept = headers.filter(([name]) => !/^x-forwarded-(for|proto|port)$/i.test(name));
  return [
    ...kept.map(([name, value]): [string, string] => [name, value]),
    ['X-Forwarded-For', [...before, sourceIp].join(', ')],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-Proto', 'https'],
  ];
}

function queryOf(request: ClientRequest): [string, string][] {
  return [...new URLSearchParams(request.target.split('?')[1] ?? '')];
}

function parametersOf({ route, apiPath }: Arrival, decode: boolean): Record<string, string> {
  const segments = apiPath.split('/');
  const parameters: [string, string][] = [];
  for (const [place, segment] of route.path.split('/').entries()) {
    const name = /^\{([^+}]+)(\+?)\}$/.exec(segment);
    if (name?.[1] === undefined) continue;
    const value = name[2] === '+' ? segments.slice(place).join('/') : (segments[place] ?? '');
    parameters.push([name[1], decode ? decoded(value) : value]);
  }
  return Object.fromEntries(parameters);
}

function certificateOf(clientCertPem: string) {
  return {
    clientCertPem,
    subjectDN: 'CN=example',
    issuerDN: 'CN=example ca',
    serialNumber: '1',
    validity: { notBefore: 'May 28 12:30:02 2019 GMT', notAfter: 'Aug  5 09:36:04 2031 GMT' },
  };
}

function lastOf(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(pairs);
}

function allOf(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const all = Map.groupBy(pairs, ([name]) => name);
  return Object.fromEntries([...all].map(([name, entries]) => [name, entries.map(([, value]) => value)]));
}

function joined(pairs: readonly (readonly [string, string])[]): [string, string][] {
  const all = Map.groupBy(pairs, ([name]) => name.toLowerCase());
  return [...all].map(([name, entries]) => [name, entries.map(([, value]) => value).join(',')]);
}

function canonicalName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function orNull<T extends object>(record: T): T | null {
  return Object.keys(record).length > 0 ? record : null;
}

/** As HTTP APIs decode: once, and nothing after a question mark that was encoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path).split('?')[0] ?? '';
  } catch {
    return path;
  }
}
