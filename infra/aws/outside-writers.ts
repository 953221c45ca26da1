import { CfnOutput, Stack } from 'aws-cdk-lib';
import { OidcProviderNative, Role, WebIdentityPrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { OutsideRole } from './audit-bucket.ts';
import type { OutsideWriter } from './settings.ts';

/** Audience of the tokens, as AWS recommends and the product asks for. */
const AUDIENCE = 'sts.amazonaws.com';

/**
 * Lets archives that run elsewhere write to the audit bucket without a key: IAM trusts the issuer of their tokens, and each has a
 * role that one subject with one audience of one issuer may assume, for an hour. What the roles may do is
 * `shareAuditBucket`'s part. AWS reads the issuer's keys over TLS by its own list of authorities: no thumbprint is pinned.
 */
export function createOutsideRoles(
  scope: Construct,
  writers: readonly OutsideWriter[],
  prefix: string,
): readonly OutsideRole[] {
  const { partition, account } = Stack.of(scope);
  const created = new Set<string>();
  return writers.map(({ name, issuer, issuerKnown, subject }) => {
    const provider = issuer.replace(/^https:\/\//, '');
    if (!issuerKnown && !created.has(issuer)) {
      created.add(issuer);
      new OidcProviderNative(scope, `Issuer-${provider}`, { url: issuer, clientIds: [AUDIENCE] });
    }
    const role = new Role(scope, `OutsideRole-${name}`, {
      description: `Writes audit records of ${name} from outside AWS`,
      assumedBy: new WebIdentityPrincipal(`arn:${partition}:iam::${account}:oidc-provider/${provider}`, {
        StringEquals: { [`${provider}:aud`]: AUDIENCE, [`${provider}:sub`]: subject },
      }),
    });
    new CfnOutput(scope, `OutsideRoleArn-${name}`, { value: role.roleArn });
    return { role, prefix: `${prefix}${name}/` };
  });
}
