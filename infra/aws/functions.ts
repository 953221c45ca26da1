import { cpSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Duration, IgnoreMode, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, ViaServicePrincipal } from 'aws-cdk-lib/aws-kms';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  ParamsAndSecretsLayerVersion,
  ParamsAndSecretsVersions,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { Construct } from 'constructs';
import { awsPartition } from '../../lib/codec/aws-partition.ts';

/** What all functions of the perimeter have in common. */
export interface FunctionSurroundings {
  /** Encrypts logs and variables. */
  readonly key: IKey;
  /** Where the function runs, or null for Lambda's own network. */
  readonly network: { readonly vpc: IVpc; readonly securityGroup: ISecurityGroup } | null;
}

/** A secret that functions may read. */
export interface ProductSecret {
  readonly secret: Secret;
  /** The variables of a function that may read it: references, never values. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface FunctionSettings extends FunctionSurroundings {
  readonly description: string;
  readonly code: Code;
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** Never a secret: those are references that the extension resolves. */
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets?: readonly ProductSecret[];
  /** At most this many at once; undefined: as many as the account has. */
  readonly reservedConcurrency?: number;
}

export interface PerimeterFunction {
  readonly fn: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
}

/** The AWS extension that reads secrets. */
const EXTENSION = ParamsAndSecretsVersions.V1_0_103;

/** Beside the package's own code when it is installed, in the repository's dist/ otherwise. */
const PLACES = ['functions', '../../dist'].map((place) => fileURLToPath(new URL(place, import.meta.url)));

/** One bundle and nothing beside it but `files`, by their names. Throws where it has not been built. */
export function bundleOf(name: string, files: Readonly<Record<string, string>> = {}): Code {
  const place = PLACES.find((one) => existsSync(`${one}/${name}.mjs`));
  if (place === undefined) throw new Error(`${name}.mjs is missing: run \`npm run build\` in the root`);
  if (Object.keys(files).length === 0) {
    return Code.fromAsset(place, { exclude: ['*', `!${name}.mjs`], ignoreMode: IgnoreMode.GIT });
  }
  const folder = mkdtempSync(join(tmpdir(), 'tgefd-bundle-'));
  cpSync(`${place}/${name}.mjs`, join(folder, `${name}.mjs`));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return Code.fromAsset(folder);
}

/** A function with a role, a log group and a key of its own choosing: it may log, and read its secrets, and nothing else. */
export function createFunction(scope: Construct, id: string, settings: FunctionSettings): PerimeterFunction {
  const { key, network, secrets = [] } = settings;
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    encryptionKey: key,
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  if (network) allowNetworkInterfaces(role);
  const fn = new LambdaFunction(scope, id, {
    description: settings.description,
    runtime: Runtime.NODEJS_24_X,
    architecture: architectureIn(Stack.of(scope).region),
    code: settings.code,
    handler: settings.handler,
    memorySize: settings.memoryMb,
    timeout: Duration.seconds(settings.timeoutSeconds),
    role,
    logGroup,
    environment: Object.assign({}, settings.environment, ...secrets.map(({ variables }) => variables)),
    environmentEncryption: key,
    ...(settings.reservedConcurrency !== undefined && { reservedConcurrentExecutions: settings.reservedConcurrency }),
    ...(network && { vpc: network.vpc, securityGroups: [network.securityGroup] }),
    ...(secrets.length > 0 && {
      paramsAndSecrets: ParamsAndSecretsLayerVersion.fromVersion(EXTENSION, {
        secretsManagerTtl: Duration.minutes(5),
      }),
    }),
  });
  for (const { secret } of secrets) secret.grantRead(role);
  if (secrets.length > 0) allowKeyOfSecrets(role, key, 'read');
  return { fn, role, logGroup };
}

/** arm64, except in a region where AWS has the extension that reads secrets for x86_64 only (China, GovCloud). */
function architectureIn(region: string): Architecture {
  if (Token.isUnresolved(region)) return Architecture.ARM_64;
  const extensionFor = ({ name }: Architecture) =>
    RegionInfo.get(region).paramsAndSecretsLambdaLayerArn(EXTENSION, name);
  const onlyX86 = !extensionFor(Architecture.ARM_64) && extensionFor(Architecture.X86_64);
  return onlyX86 ? Architecture.X86_64 : Architecture.ARM_64;
}

/**
 * Lets a role use the key of secrets through Secrets Manager where its host name is not below amazonaws.com (China). CDK's own
 * grants name the service under amazonaws.com only.
 */
export function allowKeyOfSecrets(role: Role, key: IKey, use: 'read' | 'change'): void {
  const { region, urlSuffix } = Stack.of(role);
  if (Token.isUnresolved(region) || awsPartition(region).dnsSuffix === 'amazonaws.com') return;
  const throughService = new ViaServicePrincipal(`secretsmanager.${region}.${urlSuffix}`, role);
  if (use === 'read') key.grantDecrypt(throughService);
  else key.grantEncryptDecrypt(throughService);
}

/** Lambda attaches functions to a network by the function's own role; AWS defines these actions for no narrower resource. */
function allowNetworkInterfaces(role: Role): void {
  role.addToPolicy(
    new PolicyStatement({
      actions: ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'],
      resources: ['*'],
      // Not for the function's own code: only while Lambda sets it up.
      conditions: {
        ArnNotLike: { 'lambda:SourceFunctionArn': `arn:${Stack.of(role).partition}:lambda:*:*:function:*` },
      },
    }),
  );
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Network interfaces of Lambda cannot be named beforehand; a condition keeps the function itself from using this.',
  });
}
