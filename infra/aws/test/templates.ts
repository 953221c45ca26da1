import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { deployment } from '../deployment.ts';
import { createPerimeter } from '../perimeter.ts';
import type { Deployment } from '../settings.ts';

const domain = {
  name: 'api.example.org',
  certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012',
};
/** Two issuers in place of the single one. */
const severalIssuers = Object.fromEntries(
  Object.entries(deployment.environment).filter(([name]) => !/^TGEFD_(JWT|JWKS)_/.test(name)),
);
severalIssuers.TGEFD_ISSUERS = JSON.stringify([
  { issuer: 'https://issuer.example/', audience: 'https://api.example', keys: 'https://issuer.example/keys' },
  { issuer: 'https://partner.example/', audience: 'https://api.example', keys: 'https://keys.partner.example/' },
]);
const plain = { ...deployment, assertion: false };

/** The deployments that between them use every choice there is. */
export const deployments = {
  'REST, as delivered': deployment,
  'REST TOKEN, kept for a minute': { ...plain, api: { kind: 'rest', authorizer: 'token' }, authorizerTtlSeconds: 60 },
  'HTTP, simple answers': { ...deployment, api: { kind: 'http', response: 'simple' } },
  'HTTP, simple answers kept for a minute': {
    ...plain,
    api: { kind: 'http', response: 'simple' },
    authorizerTtlSeconds: 60,
  },
  'HTTP, policies kept for a minute, in a network': {
    ...plain,
    api: { kind: 'http', response: 'iam' },
    authorizerTtlSeconds: 60,
    network: true,
    environment: severalIssuers,
    provisionedConcurrency: 2,
    alarmEmail: 'operator@example.org',
  },
  'REST, written to from outside': {
    ...deployment,
    outsideWriters: [
      {
        name: 'edge',
        issuer: 'https://api.example.org/_authorizer',
        issuerKnown: false,
        subject: 'tgefd-authorizer',
      },
      {
        name: 'cluster',
        issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE',
        issuerKnown: true,
        subject: 'system:serviceaccount:tgefd-edge:tgefd-authorizer',
      },
    ],
  },
  'REST, client certificates': {
    ...deployment,
    domain: { ...domain, truststore: { uri: 's3://trust/authorities.pem', version: 'v1' } },
  },
  'HTTP, client certificates': {
    ...deployment,
    api: { kind: 'http', response: 'simple' },
    domain: { ...domain, truststore: { uri: 's3://trust/authorities.pem', version: 'v1' } },
  },
} as const satisfies Record<string, Deployment>;

export type DeploymentName = keyof typeof deployments;

/** The template of a deployment. Throws where cdk-nag has found something, as a deployment would. */
export function synthesize(given: Deployment): Template {
  const app = new App();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stack = createPerimeter(app, given);
  app.synth();
  return Template.fromStack(stack);
}

const made = new Map<DeploymentName, Template>();

export function templateOf(name: DeploymentName): Template {
  const template = made.get(name) ?? synthesize(deployments[name]);
  made.set(name, template);
  return template;
}

/** Properties of every resource of a type, by logical id. */
export function propertiesOf(template: Template, type: string): Record<string, Record<string, unknown>> {
  const found = Object.entries(template.findResources(type));
  return Object.fromEntries(found.map(([id, { Properties }]) => [id, Properties ?? {}]));
}
