import { readFileSync } from 'node:fs';
import { Duration, Stack } from 'aws-cdk-lib';
import { type IAuthorizer, IdentitySource, type RestApi, TokenAuthorizer } from 'aws-cdk-lib/aws-apigateway';
import { type HttpApi, HttpMethod, MappingValue, ParameterMapping } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { METADATA_PATH } from '../../lib/respond/protected-resource.ts';
import { createParts } from './edge-parts.ts';
import { upstreamFields } from './gateway-responses.ts';
import { credentialField } from './http-api.ts';
import { addGatewayResponses, createRequestAuthorizer } from './rest-api.ts';
import { type ApiRoute, routesOf } from './routes.ts';
import { type ApiKind, type CheckedDeployment, checkDeployment } from './settings.ts';

/** What an authorizer for an API of your own is made of. */
export interface EdgeAuthorizerProps {
  /** The kind of your API, and what the authorizer answers it. */
  readonly api: ApiKind;
  /** Variables of the product, no secret among them. */
  readonly environment: Readonly<Record<string, string>>;
  /** A policy document (JSON) with your endpoint table, issuers and roles. It travels with the functions. */
  readonly policyFile?: string;
  /** Prefix of the secrets' names. Default: the name of the stack. */
  readonly name?: string;
  /** Origin of your service. Needed with `assertion`, whose audience it is. */
  readonly upstream?: string;
  /** Sign the identity for your service (`x-tgefd-assertion`); the key is made and rotated here. Default: no. */
  readonly assertion?: boolean;
  /** How long API Gateway keeps an answer, in seconds. Default 0: every request is decided, limited and recorded. */
  readonly authorizerTtlSeconds?: number;
  /** Object Lock of the audit bucket. Default COMPLIANCE: nobody can shorten it. */
  readonly auditLock?: 'COMPLIANCE' | 'GOVERNANCE';
  /** Where the functions run. Default: Lambda's own network. */
  readonly network?: { readonly vpc: IVpc; readonly securityGroup: ISecurityGroup };
}

/** An origin for a configuration that never forwards: API Gateway does. */
const NOWHERE = 'https://service.invalid';

/**
 * The authorizer with its archive, audit bucket, keys and secrets, to attach to an HttpApi or RestApi of your own app.
 *
 * @throws Error with every problem of the configuration at once, while the app is synthesised.
 * @example
 * ```ts
 * const edge = new EdgeAuthorizer(stack, 'Edge', {
 *   api: { kind: 'http', response: 'simple' },
 *   policyFile: 'policy.json',
 *   environment: { TGEFD_AUTH_MODE: 'jwt', TGEFD_REDIS_URL: 'https://example.upstash.io' },
 * });
 * for (const { method, path } of edge.routes) api.addRoutes({ path, methods: [method], authorizer: edge.httpAuthorizer, integration });
 * ```
 */
export class EdgeAuthorizer extends Construct {
  /** Rows of the endpoint table as routes of an API: method and path, HEAD beside GET. */
  readonly routes: readonly ApiRoute[];
  /** The function that decides. */
  readonly authorizer: IFunction;
  /** The function that moves records to the bucket, every minute. */
  readonly archive: IFunction;
  readonly auditBucket: Bucket;
  /** Secrets that you fill, by the variable that each is for. */
  readonly secrets: Readonly<Record<string, ISecret>>;
  readonly #checked: CheckedDeployment;
  readonly #keySet: IFunction | null;
  readonly #metadata: IFunction | null;
  #httpAuthorizer: HttpLambdaAuthorizer | null = null;
  #restAuthorizer: IAuthorizer | null = null;

  constructor(scope: Construct, id: string, props: EdgeAuthorizerProps) {
    super(scope, id);
    const policy = props.policyFile === undefined ? null : readFileSync(props.policyFile, 'utf8');
    const checked = checkProps(props, props.name ?? Stack.of(this).stackName, policy);
    const parts = createParts(this, checked, policy, props.network ?? null);
    this.#checked = checked;
    this.#keySet = parts.keySet;
    this.#metadata = parts.metadata;
    this.routes = routesOf(checked);
    this.authorizer = parts.authorizer;
    this.archive = parts.archive;
    this.auditBucket = parts.auditBucket;
    this.secrets = parts.secrets;
  }

  /**
   * The authorizer for routes of your HttpApi.
   *
   * @throws Error when `api.kind` is not `http`.
   */
  get httpAuthorizer(): HttpLambdaAuthorizer {
    const { api, authorizerTtlSeconds } = this.#checked;
    if (api.kind !== 'http') throw new Error("httpAuthorizer is for api.kind 'http'");
    const simple = api.response === 'simple';
    this.#httpAuthorizer ??= new HttpLambdaAuthorizer(`${this.node.id}Authorizer`, this.authorizer, {
      responseTypes: [simple ? HttpLambdaResponseType.SIMPLE : HttpLambdaResponseType.IAM],
      resultsCacheTtl: Duration.seconds(authorizerTtlSeconds),
      identitySource: authorizerTtlSeconds === 0 ? [] : identitySources(this.#checked, simple),
    });
    return this.#httpAuthorizer;
  }

  /**
   * The authorizer for methods of your RestApi.
   *
   * @throws Error when `api.kind` is not `rest`.
   */
  get restAuthorizer(): IAuthorizer {
    const { api, authorizerTtlSeconds } = this.#checked;
    if (api.kind !== 'rest') throw new Error("restAuthorizer is for api.kind 'rest'");
    this.#restAuthorizer ??=
      api.authorizer === 'token'
        ? new TokenAuthorizer(this, 'ApiAuthorizer', {
            handler: this.authorizer,
            identitySource: IdentitySource.header(credentialField(this.#checked)),
            resultsCacheTtl: Duration.seconds(authorizerTtlSeconds),
          })
        : createRequestAuthorizer(this, this.#checked, this.authorizer);
    return this.#restAuthorizer;
  }

  /** Sets the identity over whatever the caller sent: for `parameterMapping` of an integration of your HttpApi. */
  get identityMapping(): ParameterMapping {
    const mapping = new ParameterMapping();
    for (const [name, variable] of Object.entries(this.#identityFields())) {
      mapping.overwriteHeader(name, MappingValue.contextVariable(variable.replace('context.', '')));
    }
    return mapping;
  }

  /** The same for `requestParameters` of an integration of your RestApi. */
  get identityParameters(): Record<string, string> {
    const fields = Object.entries(this.#identityFields());
    return Object.fromEntries(fields.map(([name, variable]) => [`integration.request.header.${name}`, variable]));
  }

  /** Adds the public page with the keys of assertions. Does nothing without `assertion`. */
  addKeySetRoute(api: HttpApi): void {
    if (this.#keySet === null) return;
    api.addRoutes({
      path: '/_authorizer/jwks.json',
      methods: [HttpMethod.GET],
      integration: new HttpLambdaIntegration('KeySet', this.#keySet),
    });
  }

  /**
   * Adds the public metadata of the protected resource (RFC 9728) to an API whose domain has no stage and no base path in front.
   * Does nothing without `TGEFD_RESOURCE`.
   */
  addMetadataRoutes(api: HttpApi): void {
    if (this.#metadata === null) return;
    const integration = new HttpLambdaIntegration('Metadata', this.#metadata);
    for (const path of [METADATA_PATH, `${METADATA_PATH}/{proxy+}`])
      api.addRoutes({ path, methods: [HttpMethod.GET], integration });
  }

  /** Lets your RestApi answer denials with their problem documents, challenges and Retry-After. */
  addGatewayResponses(api: RestApi): void {
    addGatewayResponses(api);
  }

  #identityFields(): Readonly<Record<string, string>> {
    return upstreamFields(this.#checked.config.documents.forwardClaims, this.#checked.assertion);
  }
}

function identitySources(checked: CheckedDeployment, simple: boolean): string[] {
  return [`$request.header.${credentialField(checked)}`, ...(simple ? ['$context.routeKey'] : [])];
}

function checkProps(props: EdgeAuthorizerProps, name: string, policy: string | null): CheckedDeployment {
  const assertion = props.assertion ?? false;
  if (assertion && props.upstream === undefined) throw new Error('upstream: needed with assertion');
  return checkDeployment({
    name,
    api: props.api,
    upstream: props.upstream ?? NOWHERE,
    authorizerTtlSeconds: props.authorizerTtlSeconds ?? 0,
    environment: { ...props.environment, ...(policy !== null && { TGEFD_POLICY: policy }) },
    assertion,
    network: props.network !== undefined,
    auditLock: props.auditLock ?? 'COMPLIANCE',
    outsideWriters: [],
    provisionedConcurrency: 0,
    alarmEmail: null,
    throttle: { ratePerSecond: 0, burst: 0 },
  });
}
