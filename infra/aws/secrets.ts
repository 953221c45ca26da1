import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import {
  allowKeyOfSecrets,
  createFunction,
  type FunctionSurroundings,
  type PerimeterFunction,
  type ProductSecret,
} from './functions.ts';

/** Secrets of the product, by the variable that they fill. */
export type SecretName =
  | 'TGEFD_REDIS_TOKEN'
  | 'TGEFD_AUDIT_PSEUDONYM_KEY'
  | 'TGEFD_AUDIT_SIGNING_KEY'
  | 'TGEFD_ASSERTION_KEY';

/** Why nobody but a human rotates a secret: the second half of each sentence is the procedure (docs/guides/deploy-aws.md). */
const rotatedByHand: Readonly<Partial<Record<SecretName, string>>> = {
  TGEFD_REDIS_TOKEN: 'Its issuer is Upstash: a new token is made there and put here.',
  TGEFD_AUDIT_PSEUDONYM_KEY:
    'A new key gives every caller a new pseudonym, in records and in budgets: an operator decides when, and keeps the old one to look up with.',
  TGEFD_AUDIT_SIGNING_KEY:
    'Manifests are verified with the public half for as long as they are kept: an operator publishes it before the key changes.',
};

/**
 * A secret that holds `{"current": …, "previous": …}`, the previous value empty while there is none. Holds neither until somebody or something fills it: until then the functions
 * say `configuration_invalid` and decide nothing.
 */
export function createSecret(scope: Construct, stack: string, name: SecretName, key: IKey): ProductSecret {
  const id = name.slice('TGEFD_'.length).toLowerCase();
  const secret = new Secret(scope, name, {
    secretName: `${stack}/${id}`,
    description: `${name} of ${stack}`,
    encryptionKey: key,
    removalPolicy: RemovalPolicy.RETAIN,
    generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'unused', passwordLength: 8 },
  });
  const reason = rotatedByHand[name];
  if (reason) Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason });
  const reference = (field: string) => `aws-sm:${stack}/${id}#${field}`;
  return {
    secret,
    variables: { [name]: reference('current'), [`${name}_PREVIOUS`]: reference('previous') },
  };
}

/** Makes a new Ed25519 key pair every 30 days and keeps the one before: what it signed stays verifiable. */
export function rotateKeyPair(
  scope: Construct,
  { secret }: ProductSecret,
  around: FunctionSurroundings,
): PerimeterFunction {
  const made = createFunction(scope, 'Rotation', {
    ...around,
    description: 'Makes the next key pair of a secret',
    code: Code.fromAsset(fileURLToPath(new URL('rotation', import.meta.url))),
    handler: 'index.handler',
    memoryMb: 256,
    timeoutSeconds: 30,
    environment: {},
  });
  secret.addRotationSchedule('Schedule', {
    rotationLambda: made.fn,
    automaticallyAfter: Duration.days(30),
    rotateImmediatelyOnUpdate: true,
  });
  allowKeyOfSecrets(made.role, around.key, 'change');
  allowPasswordService(made.role);
  return made;
}

/** CDK grants a rotation function `GetRandomPassword`, which has no resource to narrow it to. */
function allowPasswordService(role: IRole): void {
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'secretsmanager:GetRandomPassword takes no resource; nothing else of the rotation is granted on *.',
  });
}
