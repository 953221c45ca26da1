import type { Config } from '../../config/load.ts';
import type { Clock, Fetch, NewId } from '../../decision/ports.ts';
import { createWebIdentityTokens } from '../../respond/assertion-web-identity.ts';
import { createExpiring } from '../../secrets/expiring.ts';
import { type AwsCredentials, assumeRole, federateWithGoogle } from '../../secrets/web-identity.ts';

const TIMEOUT_MS = 5_000;
const SESSION_NAME = 'tgefd-authorizer';

/** Short-lived credentials for the bucket, asked for with each request to it and kept until shortly before they end. */
export type CloudCredentials =
  | { readonly cloud: 'aws'; credentials(): Promise<AwsCredentials> }
  | { readonly cloud: 'google'; accessToken(): Promise<string> };

/** Those that the configuration's own issuer is exchanged for; null where it names no role and no provider. */
export function cloudCredentials(
  { settings, documents }: Config,
  parts: {
    readonly fetch: Fetch;
    readonly clock: Clock;
    /** Absent: the clock. */
    readonly stopwatch?: Clock;
    readonly newId: NewId;
    readonly sharePromises: boolean;
  },
): CloudCredentials | null {
  const { issuerUrl, auditS3RoleArn, auditGcsProvider, auditGcsServiceAccount } = settings;
  const [key] = documents.assertionKeys;
  if (issuerUrl === null || key === undefined) return null;
  const { fetch, clock } = parts;
  const token = createWebIdentityTokens({ issuer: issuerUrl.href, key }, parts);
  const exchange = { fetch, token, clock, timeoutMs: TIMEOUT_MS };
  const keep = { stopwatch: parts.stopwatch ?? clock, sharePromises: parts.sharePromises };
  if (auditS3RoleArn !== null) {
    const role = { arn: auditS3RoleArn, region: settings.auditS3Region, sessionName: SESSION_NAME };
    return { cloud: 'aws', credentials: createExpiring(() => assumeRole(role, exchange), keep) };
  }
  if (auditGcsProvider === null) return null;
  const federate = () =>
    federateWithGoogle({ provider: auditGcsProvider, serviceAccount: auditGcsServiceAccount }, exchange);
  return { cloud: 'google', accessToken: createExpiring(federate, keep) };
}
