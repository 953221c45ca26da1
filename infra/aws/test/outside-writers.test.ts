import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import { deployment } from '../deployment.ts';
import type { Deployment } from '../settings.ts';
import { propertiesOf, synthesize, templateOf } from './templates.ts';

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const outside = 'REST, written to from outside';

test('as delivered nobody outside AWS is trusted', () => {
  templateOf('REST, as delivered').resourceCountIs('AWS::IAM::OIDCProvider', 0);
  templateOf('REST, as delivered').hasResourceProperties('AWS::CloudTrail::Trail', { IsMultiRegionTrail: false });
});

test('outside AWS a role is assumed by exactly one audience and one subject of one issuer', () => {
  const template = templateOf(outside);
  assert.deepEqual(Object.values(propertiesOf(template, 'AWS::IAM::OIDCProvider')), [
    { Url: 'https://api.example.org/_authorizer', ClientIdList: ['sts.amazonaws.com'] },
  ]);
  const roles = Object.entries(propertiesOf(template, 'AWS::IAM::Role')).filter(([id]) => id.startsWith('OutsideRole'));
  const trusts = roles.map(
    ([, { AssumeRolePolicyDocument }]) =>
      (AssumeRolePolicyDocument as { Statement: (Statement & { Condition: unknown; Principal: unknown })[] }).Statement,
  );
  assert.deepEqual(
    trusts.map((statements) => statements.map(({ Action, Condition }) => [Action, Condition])),
    [
      ['api.example.org/_authorizer', 'tgefd-authorizer'],
      ['oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE', 'system:serviceaccount:tgefd-edge:tgefd-authorizer'],
    ].map(([provider, subject]) => [
      [
        'sts:AssumeRoleWithWebIdentity',
        { StringEquals: { [`${provider}:aud`]: 'sts.amazonaws.com', [`${provider}:sub`]: subject } },
      ],
    ]),
  );
  assert.match(JSON.stringify(trusts[0]), /:oidc-provider\/api\.example\.org\/_authorizer"/);
});

test('it may put, get and list in its folder and use the key, and in its folder nobody else writes', () => {
  const template = templateOf(outside);
  const policies = Object.entries(propertiesOf(template, 'AWS::IAM::Policy'));
  const statements = policies
    .filter(([id]) => id.startsWith('OutsideRoleedge'))
    .flatMap(([, { PolicyDocument }]) => (PolicyDocument as { Statement: Statement[] }).Statement);
  const granted = statements.map(({ Action, Resource }) => [
    Action,
    [Resource].flat().map((one) => JSON.stringify(one).match(/audit\/[a-z/*]+/)?.[0] ?? 'whole'),
  ]);
  assert.deepEqual(granted, [
    ['s3:ListBucket', ['whole']],
    [
      ['s3:GetObject', 's3:PutObject'],
      ['audit/edge/batches/*', 'audit/edge/manifests/*', 'audit/edge/anchors/*'],
    ],
    [['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], ['audit/edge/spill/*']],
    [['kms:Decrypt', 'kms:GenerateDataKey'], ['whole']],
  ]);
  const denials = Object.values(propertiesOf(template, 'AWS::S3::BucketPolicy'))
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: (Statement & { Sid?: string })[] }).Statement)
    .filter(({ Sid }) => Sid?.endsWith('Writes'));
  assert.deepEqual(
    denials.map(({ Sid }) => Sid),
    ['OnlyTheArchiveWrites', 'OnlyOutsideWriter0Writes', 'OnlyOutsideWriter1Writes', 'NobodyElseWrites'],
  );
  const [, edge] = denials.map((denial) => JSON.stringify(denial));
  assert.match(edge ?? '', /audit\/edge\/\*/);
  assert.match(edge ?? '', /"aws:PrincipalArn":\[?\{"Fn::GetAtt":\["OutsideRoleedge/);
});

test('whoever assumes it, and at whichever token service, shows in the trail', () => {
  templateOf(outside).hasResourceProperties('AWS::CloudTrail::Trail', {
    IsMultiRegionTrail: true,
    IncludeGlobalServiceEvents: true,
    EventSelectors: Match.arrayWith([Match.objectLike({ IncludeManagementEvents: true, ReadWriteType: 'All' })]),
  });
});

const writer = { name: 'edge', issuer: 'https://a.example/_authorizer', issuerKnown: false, subject: 's' };
const refusals: readonly [string, Partial<Deployment>, RegExp][] = [
  ['a writer in the folder of the archive', { outsideWriters: [{ ...writer, name: 'spill' }] }, /\[0\]\.name/],
  ['two writers in one folder', { outsideWriters: [writer, { ...writer, subject: 't' }] }, /\[1\]\.name: a folder has/],
  ['an issuer without TLS', { outsideWriters: [{ ...writer, issuer: 'http://a.example' }] }, /\[0\]\.issuer:/],
  ['an issuer spelt otherwise', { outsideWriters: [{ ...writer, issuer: 'https://a.example/' }] }, /\[0\]\.issuer:/],
  [
    'the stack itself as an issuer, with a key that no cloud takes',
    { environment: { ...deployment.environment, TGEFD_ISSUER_URL: 'https://a.example/_authorizer' } },
    /TGEFD_ASSERTION_KEY: found a key for EdDSA/,
  ],
  ['any subject', { outsideWriters: [{ ...writer, subject: 'system:*' }] }, /\[0\]\.subject/],
  [
    'an issuer both known and not',
    { outsideWriters: [writer, { ...writer, name: 'other', issuerKnown: true }] },
    /\[1\]\.issuerKnown/,
  ],
];
for (const [what, change, problem] of refusals) {
  test(`a deployment is refused before it exists: ${what}`, () => {
    assert.throws(() => synthesize({ ...deployment, ...change }), problem);
  });
}
