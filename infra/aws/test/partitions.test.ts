import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { awsPartition } from '../../../lib/codec/aws-partition.ts';
import { deployment } from '../deployment.ts';
import { EdgeAuthorizer } from '../index.ts';
import { deployments, propertiesOf, synthesize } from './templates.ts';

/* AWS in China and AWS GovCloud: partitions with ARNs and host names of their own. */

const policyFile = new URL('policy.json', import.meta.url).pathname;

function construct(region: string): Template {
  const stack = new Stack(new App(), 'orders', { env: { region } });
  const edge = new EdgeAuthorizer(stack, 'Edge', {
    api: { kind: 'http', response: 'simple' },
    environment: deployment.environment,
    policyFile,
    assertion: true,
    upstream: 'https://orders.example.com',
  });
  assert.ok(edge.authorizer);
  return Template.fromStack(stack);
}

/** A template with what CloudFormation would set in it for the names of a partition. */
function settled(template: Template, names: { readonly partition: string; readonly dnsSuffix: string }): Template {
  const settle = (_: string, value: unknown): unknown => {
    const node = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] } | null;
    if (node?.Ref === 'AWS::URLSuffix') return names.dnsSuffix;
    if (node?.Ref === 'AWS::Partition') return names.partition;
    const [separator, parts] = node?.['Fn::Join'] ?? [];
    return parts?.every((part) => typeof part === 'string') ? parts.join(separator) : value;
  };
  return Template.fromJSON(JSON.parse(JSON.stringify(template.toJSON()), settle));
}

for (const region of ['cn-north-1', 'us-gov-west-1']) {
  const { name: partition, dnsSuffix } = awsPartition(region);
  const rest = synthesize({ ...deployment, region });
  const inNetwork = synthesize({ ...deployments['HTTP, policies kept for a minute, in a network'], region });
  const all = [rest, inNetwork, construct(region)].map((template) => settled(template, { partition, dnsSuffix }));

  test(`${region}: every ARN names the partition ${partition}`, () => {
    for (const template of all) {
      const text = JSON.stringify(template.toJSON());
      const found = [...text.matchAll(/\barn:([\w-]+)/g)].map(([, name]) => name);
      assert.ok(found.length > 0);
      assert.deepEqual(new Set(found), new Set([partition]));
    }
  });

  test(`${region}: CloudWatch Logs may use the keys under its name there`, () => {
    for (const template of all) {
      const principals = [...JSON.stringify(template.toJSON()).matchAll(/"Service":"(logs\.[^"]+)"/g)];
      assert.deepEqual(new Set(principals.map(([, name]) => name)), new Set([`logs.${region}.${dnsSuffix}`]));
    }
  });

  test(`${region}: roles may use the key of their secrets through Secrets Manager under its name there`, () => {
    for (const template of all) {
      const service = `"kms:ViaService":"secretsmanager.${region}.${dnsSuffix}"`;
      const roles = Object.values(propertiesOf(template, 'AWS::KMS::Key'))
        .flatMap(({ KeyPolicy }) => (KeyPolicy as { Statement: unknown[] }).Statement.map((one) => JSON.stringify(one)))
        .filter((statement) => statement.includes(service) && statement.includes('"kms:Decrypt"'))
        .flatMap((statement) => [...statement.matchAll(/"Fn::GetAtt":\["\w*(Authorizer|Archive|Rotation)Role/g)]);
      const named = new Set(roles.map(([, name]) => name));
      assert.deepEqual(named, new Set(['Authorizer', 'Archive', ...(template === all[1] ? [] : ['Rotation'])]));
    }
  });

  test(`${region}: functions run on the architecture that the secrets extension has there`, () => {
    for (const template of all) {
      const functions = Object.values(propertiesOf(template, 'AWS::Lambda::Function')).filter(({ Layers }) => Layers);
      assert.ok(functions.length > 1);
      for (const { Architectures, Layers } of functions) {
        assert.deepEqual(Architectures, ['x86_64']);
        assert.match(
          String(Layers),
          new RegExp(`^arn:${partition}:lambda:${region}:\\d+:layer:AWS-Parameters-and-Sec`),
        );
      }
    }
  });

  test(`${region}: in a network the hosts of the region's own services have an address`, () => {
    const hosts = ['secretsmanager', 's3', '*.s3'].map((service) => `${service}.${region}.${dnsSuffix}`);
    all[1]?.hasResourceProperties('AWS::Route53Resolver::FirewallDomainList', { Domains: Match.arrayWith(hosts) });
  });
}

test('where the secrets extension exists for arm64, functions run on arm64', () => {
  const functions = Object.values(propertiesOf(construct('eu-central-1'), 'AWS::Lambda::Function'));
  const withSecrets = functions.filter(({ Layers }) => Layers);
  assert.ok(withSecrets.length > 1);
  for (const { Architectures } of withSecrets) assert.deepEqual(Architectures, ['arm64']);
});
