import { generateKeyPairSync } from 'node:crypto';
import { createPolicies } from '../../lib/adapter/lambda/policy.ts';
import { cachingConsequences } from '../../lib/config/authorizer-caching.ts';
import { type Config, loadConfig } from '../../lib/config/load.ts';
import { problemLine } from '../../lib/config/problem.ts';
import { ARCHIVE_FOLDERS } from './audit-bucket.ts';

/** An archive that runs outside AWS (a Worker, a container, a pod) and writes to this stack's bucket under a role, without a key. */
export interface OutsideWriter {
  /** Its folder in the bucket, below the prefix; lower-case letters, digits and `-`. */
  readonly name: string;
  /** Issuer of its tokens, exactly as they say it: `TGEFD_ISSUER_URL` of that deployment, or its cluster's issuer. */
  readonly issuer: string;
  /** The account has a provider for this issuer already (as for a cluster of EKS with IRSA); otherwise the stack makes it. */
  readonly issuerKnown: boolean;
  /** `tgefd-authorizer` for the product's own tokens; `system:serviceaccount:NAMESPACE:NAME` for a pod's. */
  readonly subject: string;
}

/** Which kind of API asks, and what it is answered. An HTTP API with policies is asked by payload 1.0, otherwise by 2.0. */
export type ApiKind =
  | { readonly kind: 'http'; readonly response: 'simple' | 'iam' }
  | { readonly kind: 'rest'; readonly authorizer: 'request' | 'token' };

/** What a deployment is: the only thing that an operator edits (`deployment.ts`). */
export interface Deployment {
  /** Name of the stack and prefix of its secrets. */
  readonly name: string;
  /** Region of the stack. Default: the one of your credentials. In China and GovCloud it must be named. */
  readonly region?: string;
  /** `http` with simple answers (cheaper), or `rest`, which can tell true statuses, bodies and fields. */
  readonly api: ApiKind;
  /** Origin of the protected service, `https:`. API Gateway forwards to it, the authorizer never does. */
  readonly upstream: string;
  /** How long API Gateway keeps an answer, in seconds. 0: every request is decided, limited and recorded. */
  readonly authorizerTtlSeconds: number;
  /** Variables of the product (`docs/reference/configuration.md`), no secret among them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sign the identity for the upstream (`x-tgefd-assertion`); its key is made and rotated here. */
  readonly assertion: boolean;
  /** Public name, its certificate, and the trust store that makes client certificates required. */
  readonly domain?: {
    readonly name: string;
    readonly certificateArn: string;
    /** `s3://bucket/key` of the PEM bundle and its object version. */
    readonly truststore?: { readonly uri: string; readonly version: string };
  };
  /** Run the functions in a VPC whose names resolve only to what the configuration names. */
  readonly network: boolean;
  /** Object Lock of the audit bucket: nobody can shorten COMPLIANCE, not even the root user. */
  readonly auditLock: 'COMPLIANCE' | 'GOVERNANCE';
  /** Who else may write to the audit bucket, each in a folder of its own; empty: nobody. */
  readonly outsideWriters: readonly OutsideWriter[];
  /** Instances of the authorizer kept ready; 0: none. */
  readonly provisionedConcurrency: number;
  /** Where alarms go, or null. */
  readonly alarmEmail: string | null;
  /** Requests a second that the whole API takes before API Gateway answers 429 itself. */
  readonly throttle: { readonly ratePerSecond: number; readonly burst: number };
}

/** A deployment whose configuration holds together. */
export interface CheckedDeployment extends Deployment {
  readonly config: Config;
  /** What the time to live costs, in plain words. */
  readonly caching: readonly string[];
}

/** Stand for secrets while the configuration is checked: their shape is right, and they are used for nothing. */
function stubs(deployment: Deployment): Record<string, string> {
  const jwk = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
  return {
    TGEFD_REDIS_TOKEN: 'stub',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'stub'.repeat(8),
    TGEFD_AUDIT_SIGNING_KEY: jwk,
    ...(deployment.assertion && { TGEFD_ASSERTION_KEY: jwk }),
  };
}

/**
 * Checks a deployment as the functions will check it when they start. Throws with every problem at once: of the configuration,
 * and of what API Gateway cannot keep apart.
 */
export function checkDeployment(deployment: Deployment): CheckedDeployment {
  const ttlSeconds = deployment.authorizerTtlSeconds;
  const environment = { ...deployment.environment, ...functionEnvironment(deployment), ...stubs(deployment) };
  const loaded = loadConfig(
    { ...environment, TGEFD_AUDIT_BUCKET: 'stub' },
    { platform: 'lambda', role: 'archive', upstreamBinding: false, bucketBinding: false },
  );
  const problems = loaded.ok ? [] : loaded.problems.map(problemLine);
  const { protocol, pathname } = new URL(deployment.upstream);
  if (protocol !== 'https:' || pathname !== '/') problems.push('upstream: an https: origin without a path');
  for (const name of Object.keys(stubs({ ...deployment, assertion: true }))) {
    if (name in deployment.environment) problems.push(`environment.${name}: a secret stands in Secrets Manager only`);
  }
  problems.push(...apiProblems(deployment.api), ...outsideProblems(deployment.outsideWriters));
  const simple = deployment.api.kind === 'http' && deployment.api.response === 'simple';
  const rows = loaded.ok ? loaded.config.documents.endpoints : [];
  if (!simple) problems.push(...policyProblems(rows, ttlSeconds));
  if (ttlSeconds > 0 && deployment.domain?.truststore) {
    problems.push(
      'authorizerTtlSeconds: 0 with client certificates, for a kept answer would pass without the certificate',
    );
  }
  if (ttlSeconds > 0 && deployment.assertion) {
    problems.push('authorizerTtlSeconds: 0 with assertions, for each one is good for one request');
  }
  if (!loaded.ok || problems.length > 0) throw new Error(`the deployment is invalid:\n${problems.join('\n')}`);
  const { settings, authMode } = loaded.config;
  if (authMode === 'mtls' && !deployment.domain?.truststore) {
    throw new Error('the deployment is invalid:\ndomain.truststore: needed where TGEFD_AUTH_MODE is mtls');
  }
  const revocationDelaySeconds = settings.rateLimitMode === 'exact' ? 0 : settings.revocationMaximumDelaySeconds;
  return { ...deployment, config: loaded.config, caching: cachingConsequences({ ttlSeconds, revocationDelaySeconds }) };
}

/** What is missing in the kind of API. Types say the same, but they are not there when TypeScript is stripped. */
function apiProblems(api: Readonly<Record<string, unknown>>): string[] {
  if (api.kind === 'http') {
    return api.response === 'simple' || api.response === 'iam'
      ? []
      : ["api.response: 'simple' or 'iam' with kind 'http'"];
  }
  if (api.kind !== 'rest') return ["api.kind: 'http' or 'rest'"];
  return api.authorizer === 'request' || api.authorizer === 'token'
    ? []
    : ["api.authorizer: 'request' or 'token' with kind 'rest'"];
}

/** What keeps a role from being given to somebody outside, and to nobody else. */
function outsideProblems(writers: readonly OutsideWriter[]): string[] {
  const problems: string[] = [];
  const demand = (holds: boolean, index: number, problem: string) =>
    void (holds || problems.push(`outsideWriters[${index}].${problem}`));
  writers.forEach(({ name, issuer, issuerKnown, subject }, index) => {
    const named = /^[a-z0-9-]{1,32}$/.test(name) && !ARCHIVE_FOLDERS.includes(name);
    demand(named, index, `name: lower-case letters, digits and -, and none of ${ARCHIVE_FOLDERS.join(', ')}`);
    demand(writers.findIndex((other) => other.name === name) === index, index, 'name: a folder has one writer');
    const exact = URL.canParse(issuer) && /^https:\/\/[^?#@]*[^/?#@]$/.test(issuer);
    demand(exact, index, 'issuer: an https: URL without query and trailing slash');
    const agreed = writers.every((other) => other.issuer !== issuer || other.issuerKnown === issuerKnown);
    demand(agreed, index, 'issuerKnown: the account either has a provider for this issuer or has not');
    demand(subject !== '' && !/[*?\s]/.test(subject), index, 'subject: exactly one, without wildcards');
  });
  return problems;
}

/** As long as ARNs of API Gateway usually are. */
const TYPICAL_PREFIX = 'arn:aws:execute-api:ap-southeast-1:123456789012:abcdefghij/live/';

/** What keeps an endpoint table from being written as policies. */
function policyProblems(rows: Config['documents']['endpoints'], ttlSeconds: number): string[] {
  const policies = createPolicies(rows);
  const problems = (ttlSeconds > 0 ? policies.indistinct : []).map(
    (pair) => `authorizerTtlSeconds: 0 with these endpoints, which one policy cannot tell apart: ${pair}`,
  );
  try {
    policies.of(TYPICAL_PREFIX, () => true);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return problems;
}

/** Variables that follow from the deployment itself. */
export function functionEnvironment(deployment: Deployment): Record<string, string> {
  return {
    TGEFD_AUTHORIZER_TTL_SEC: String(deployment.authorizerTtlSeconds),
    TGEFD_AUTHORIZER_RESPONSE: 'simple',
    ...(deployment.assertion && { TGEFD_UPSTREAM_URL: deployment.upstream }),
  };
}
