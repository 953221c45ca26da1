import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { ProviderName } from '../../authenticate/providers/provider.ts';
import { providers } from '../../authenticate/providers/table.ts';
import { compose } from '../../compose/authorizer.ts';
import type { Runtime } from '../../compose/runtime.ts';
import type { Config } from '../../config/load.ts';
import type { Decision } from '../../decision/outcome.ts';
import type { ClientCertificate } from '../../decision/principal.ts';
import type { AccessRequest } from '../../decision/request.ts';
import { codeOf, statusOf } from '../../respond/denial.ts';
import { compileForwardedClaims } from '../../respond/forwarded-claims.ts';
import { identityFields } from '../../respond/identity.ts';
import { givenRequest } from '../given-body.ts';
import type { PolicyCase } from './case.ts';

/** What came out of a case. */
export interface CaseResult {
  readonly status: number;
  readonly code: string | null;
  readonly reason: string | null;
  readonly scope: string | null;
  readonly budget: string | null;
  readonly action: string | null;
  readonly upstream: Readonly<Record<string, string>>;
}

/** Decides cases by the code that decides requests. */
export type DecideCase = (one: PolicyCase) => Promise<CaseResult>;

/**
 * Makes the decision of cases by the real pipeline. For claims the keys of every issuer are replaced by one of this test,
 * so that everything but the signature is judged as in earnest; a real token is judged by the real keys. Spends nothing
 * outside this process and records nothing.
 *
 * @param config - the configuration with the policy.
 * @param runtime - what a command hands in, with a clock that stands at the time of the case.
 * @param clock - the time of cases that name none.
 * @returns the decision of one case.
 */
export async function createCaseDecision(
  config: Config,
  runtime: (clock: () => number) => Runtime,
  clock: () => number,
): Promise<DecideCase> {
  const signer = await createSigner(config);
  let nowMs = clock();
  const parts = runtime(() => nowMs);
  const onTrial: Runtime = { ...parts, trial: true };
  const byClaims = compose(signer.config, onTrial);
  const real = compose(config, onTrial);
  const forwarded = compileForwardedClaims(config.documents.forwardClaims);

  return async (one) => {
    nowMs = one.time === undefined ? clock() : Date.parse(one.time);
    const token = one.claims === undefined ? one.token : await signer.sign(one.claims, nowMs);
    const composed = one.token === undefined ? byClaims : real;
    const waiting: Promise<unknown>[] = [];
    const { decision } = await composed.enforce(requestOf(one, token, config), {
      defer: (promise) => waiting.push(promise),
    });
    await Promise.allSettled(waiting);
    return resultOf(decision, config, forwarded?.(decision.principal) ?? null);
  };
}

function requestOf(one: PolicyCase, token: string | undefined, { settings }: Config): AccessRequest {
  const fields = Object.entries(one.request.headers ?? {}).flat();
  if (!Object.keys(one.request.headers ?? {}).some((name) => name.toLowerCase() === 'host'))
    fields.push('host', 'policy.invalid');
  if (token !== undefined) fields.push(settings.jwtHeader, `${settings.jwtBearerPrefix}${token}`);
  const { method = 'GET', path: target, body } = one.request;
  const hop = { peerAddress: '127.0.0.1', secure: true, certificate: certificateOf(one) };
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return givenRequest({ door: 'gateway', method, target, hop }, fields, text);
}

function certificateOf({ certificate }: PolicyCase): ClientCertificate | null {
  if (certificate === undefined) return null;
  const { subject = '', issuer, san = [], thumbprint = null } = certificate;
  return {
    subject,
    ...(issuer === undefined ? {} : { issuer }),
    subjectAltNames: [san].flat(),
    thumbprint,
    notBeforeSeconds: null,
    notAfterSeconds: null,
  } as ClientCertificate;
}

function resultOf(decision: Decision, { settings }: Config, claims: Parameters<typeof identityFields>[2]): CaseResult {
  const { denial, endpoint } = decision;
  return {
    status: denial === null ? 200 : statusOf(denial),
    code: denial && codeOf(denial),
    reason: denial?.reason ?? null,
    scope: endpoint === null ? null : scopeText(endpoint.scope),
    budget: endpoint?.budget ?? null,
    action: endpoint?.action ?? null,
    upstream: denial === null ? Object.fromEntries(identityFields(decision, settings.identityHeader, claims)) : {},
  };
}

function scopeText(scope: NonNullable<Decision['endpoint']>['scope']): string | null {
  if (scope === null || typeof scope === 'string') return scope;
  return ('any' in scope ? scope.any : scope.all).join(' ');
}

const LIFETIME_SECONDS = 300;

/** Signs claims by keys that only this test knows, and gives the configuration that takes them. */
async function createSigner(config: Config): Promise<{
  readonly config: Config;
  sign(claims: Readonly<Record<string, unknown>>, nowMs: number): Promise<string>;
}> {
  const algorithm = 'ES256';
  const { privateKey, publicKey } = await generateKeyPair(algorithm);
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'policy-test', alg: algorithm }] });
  const issuers = config.issuers.map((issuer) => ({
    ...issuer,
    algorithms: [algorithm],
    keys: { from: 'inline', text: jwks } as const,
  }));
  return {
    config: { ...config, issuers },
    sign(claims, nowMs) {
      const issuer = issuerOf(config, claims);
      const nowSeconds = Math.floor(nowMs / 1000);
      const standIns = {
        ...providerClaims(issuer?.provider ?? null),
        iss: issuer?.trustDomain ? undefined : issuer?.spellings[0],
        aud: Object.hasOwn(claims, issuer?.audienceClaim ?? '') ? undefined : issuer?.audiences[0],
        sub: 'policy-test',
        iat: nowSeconds,
        exp: nowSeconds + LIFETIME_SECONDS,
      };
      const whole = Object.entries({ ...standIns, ...claims }).filter(
        ([, value]) => value !== null && value !== undefined,
      );
      const [type = 'JWT'] = (issuer?.types ?? []).filter((each) => each !== 'absent');
      return new SignJWT(Object.fromEntries(whole))
        .setProtectedHeader({ alg: algorithm, kid: 'policy-test', typ: type })
        .sign(privateKey);
    },
  };
}

/** The issuer that the claims name, or the first. */
function issuerOf({ issuers }: Config, { iss }: Readonly<Record<string, unknown>>) {
  return issuers.find(({ spellings }) => spellings.some((spelling) => spelling === iss)) ?? issuers[0];
}

/** The claims by which a provider tells access tokens from others: every case has them unless it says otherwise. */
function providerClaims(provider: ProviderName | null): Readonly<Record<string, unknown>> {
  if (provider === null) return {};
  return Object.fromEntries(Object.entries(providers[provider].required).map(([claim, [value]]) => [claim, value]));
}
