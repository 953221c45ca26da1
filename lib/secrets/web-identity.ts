import { awsStsHost } from '../codec/aws-partition.ts';
import type { Clock, Fetch } from '../decision/ports.ts';
import type { Expiring } from './expiring.ts';

/** Temporary credentials of AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

interface Parts {
  readonly fetch: Fetch;
  /** A token of ours for one audience. */
  readonly token: (audience: string) => Promise<string>;
  /** The wall clock, by which ends of credentials are told. */
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Audience of tokens for AWS, as its documentation recommends. */
export const AWS_AUDIENCE = 'sts.amazonaws.com';

const ASKED_SECONDS = 3600;
const GOOGLE_STS = 'https://sts.googleapis.com/v1/token';
const GOOGLE_SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';

/**
 * Exchanges a token of ours for credentials of a role (STS `AssumeRoleWithWebIdentity`, which needs no signature). Asks for
 * an hour. Rejects with STS' error code, never with an answer: it would hold credentials.
 */
export async function assumeRole(
  role: { readonly arn: string; readonly region: string; readonly sessionName: string },
  { fetch, token, clock, timeoutMs }: Parts,
): Promise<Expiring<AwsCredentials>> {
  const response = await fetch(`https://${awsStsHost(role.region)}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      DurationSeconds: String(ASKED_SECONDS),
      RoleArn: role.arn,
      RoleSessionName: role.sessionName,
      WebIdentityToken: await token(AWS_AUDIENCE),
    }).toString(),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const xml = await response.text();
  if (response.status !== 200)
    throw new Error(`status ${response.status} from STS (${element(xml, 'Code') ?? 'no code'})`);
  const [accessKeyId, secretAccessKey, sessionToken, until] = [
    element(xml, 'AccessKeyId'),
    element(xml, 'SecretAccessKey'),
    element(xml, 'SessionToken'),
    element(xml, 'Expiration'),
  ];
  const expiresAtMs = Date.parse(until ?? '');
  if (accessKeyId === null || secretAccessKey === null || sessionToken === null || Number.isNaN(expiresAtMs))
    throw new Error('an answer of STS without credentials');
  return {
    value: { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiresAtMs) },
    lifeMs: lifeUntil(expiresAtMs, clock()),
  };
}

/** A clock of ours that is behind must not make credentials look longer lived than what was asked for. */
function lifeUntil(expiresAtMs: number, nowMs: number): number {
  return Math.min(ASKED_SECONDS * 1000, Math.max(0, expiresAtMs - nowMs));
}

/** Text of the only element of that name, or null; these values hold no markup and no entities but `&amp;`, if any. */
function element(xml: string, name: string): string | null {
  const found = [...xml.matchAll(new RegExp(`<${name}>([^<]{1,4096})</${name}>`, 'g'))];
  const [only] = found;
  return found.length === 1 ? (only?.[1]?.replaceAll('&amp;', '&').trim() ?? null) : null;
}

/**
 * Exchanges a token of ours for an access token of Google Cloud (workload identity federation, RFC 8693), and that for one
 * of a service account where one is named. `provider` is the audience: `//iam.googleapis.com/projects/…/providers/…`.
 * Rejects with a status, never with an answer.
 */
export async function federateWithGoogle(
  { provider, serviceAccount }: { readonly provider: string; readonly serviceAccount: string | null },
  { fetch, token, clock, timeoutMs }: Parts,
): Promise<Expiring<string>> {
  const ask = async (url: string, headers: Record<string, string>, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer: unknown = await response.json().catch(() => null);
    if (response.status !== 200) throw new Error(`status ${response.status} from ${new URL(url).host}`);
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  };
  const federated = await ask(
    GOOGLE_STS,
    {},
    {
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: provider,
      scope: serviceAccount === null ? GOOGLE_SCOPE : 'https://www.googleapis.com/auth/cloud-platform',
      requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      subjectToken: await token(provider),
    },
  );
  const { access_token: first, expires_in: seconds } = federated;
  if (typeof first !== 'string' || typeof seconds !== 'number') throw new Error('an answer of Google without a token');
  if (serviceAccount === null) return { value: first, lifeMs: seconds * 1000 };
  const account = encodeURIComponent(serviceAccount);
  const own = await ask(
    `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
    { authorization: `Bearer ${first}` },
    { scope: [GOOGLE_SCOPE], lifetime: `${ASKED_SECONDS}s` },
  );
  const expiresAtMs = Date.parse(String(own.expireTime));
  if (typeof own.accessToken !== 'string' || Number.isNaN(expiresAtMs))
    throw new Error('an answer of Google without a token');
  return { value: own.accessToken, lifeMs: lifeUntil(expiresAtMs, clock()) };
}
