import { Hono } from 'hono';
import {
  AuthorizerClosedError,
  type AuthorizerDecision,
  ConfigurationError,
  configFromEnv,
  createAuthorizer,
  type Problem,
  type WrittenOptions,
} from 'tgefd-authorizer';
import { authorizer, requireScope } from 'tgefd-authorizer/hono';
import { lambdaPlatform, serveLambda } from 'tgefd-authorizer/lambda';
import { nodePlatform, serveNode } from 'tgefd-authorizer/node';
import { createAssertionVerifier, requireAssertion, verifyAssertion } from 'tgefd-authorizer/upstream';
import { serveWorker, workersPlatform } from 'tgefd-authorizer/workers';

const options: WrittenOptions = {
  environment: 'production',
  authMode: 'jwt,mtls',
  jwtIssuer: 'https://issuer.example',
  jwksUrl: new URL('https://issuer.example/jwks'),
  rateLimitPerMinute: 60,
  rbacEnabled: true,
  preset: 'none',
  corsAllowedOrigins: ['https://app.example'],
  trustedProxies: ['10.0.0.0/8'],
  redisToken: { current: 'new', previous: 'old' },
  assertionKey: { kty: 'OKP', crv: 'Ed25519', x: '', d: '' },
  endpoints: [
    { method: 'GET', path: '/orders/{id}', scope: { any: ['orders:read', 'orders'] }, budget: 'read' },
    { method: 'POST', path: '/orders', scope: null, budget: 'heavy', action: 'create' },
  ],
};
// @ts-expect-error `basic` is no mode.
export const noMode: WrittenOptions = { authMode: 'basic' };
// @ts-expect-error The option is called jwksUrl.
export const noOption: WrittenOptions = { jwksURL: 'https://issuer.example/jwks' };
// @ts-expect-error A limit is a number.
export const noNumber: WrittenOptions = { rateLimitPerMinute: '60' };

const app = new Hono();
app.use(authorizer(options, nodePlatform()));
app.get('/orders/:id', requireScope('orders:read'), (c) => {
  const { subject, issuer, scopes, method } = c.var.principal;
  const told: [string, string | null, readonly string[], 'jwt' | 'mtls' | 'api_key' | 'none'] = [
    subject,
    issuer,
    scopes,
    method,
  ];
  return c.json(told);
});

export async function decide(request: Request): Promise<Response> {
  const own = createAuthorizer(configFromEnv({ TGEFD_ENV: 'development' }), workersPlatform());
  const problems: readonly Problem[] | null = await own.ready();
  if (problems !== null) throw new ConfigurationError(problems);
  try {
    const decision: AuthorizerDecision = await own.decide(request, { peerAddress: '192.0.2.1', secure: true });
    if (!decision.allowed) return decision.response();
    return Response.json(
      { caller: decision.principal.subject },
      { headers: [...decision.headers.map(([a, b]) => [a, b] as [string, string])] },
    );
  } catch (error) {
    if (error instanceof AuthorizerClosedError) {
      const code: 'authorizer_closed' = error.code;
      return new Response(code);
    }
    return own.check(request);
  } finally {
    await own.renew();
    await own.close();
  }
}

const settings = {
  audience: 'https://api.internal',
  keys: new URL('https://authorizer.internal/_authorizer/jwks.json'),
};
const service = new Hono<{ Variables: { caller: { readonly subject: string } } }>();
service.use(requireAssertion(createAssertionVerifier(settings)));

export async function callerOf(request: Request): Promise<string | null> {
  const verification = await verifyAssertion(request.headers.get('x-tgefd-assertion'), request, settings);
  return verification.outcome === 'verified' ? verification.caller.subject : null;
}

export async function start() {
  await serveNode(options, nodePlatform());
  const { handler, jwks } = await serveLambda(configFromEnv(), lambdaPlatform());
  return { handler, jwks, worker: serveWorker(configFromEnv(), workersPlatform()), app, service };
}
