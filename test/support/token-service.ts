import { createHash, X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Authority, IssuedCertificate } from './certificates.ts';
import { type LoopbackServer, listenOnLoopback } from './loopback-server.ts';

/** What a role is, and from whose tokens it may be assumed. */
export interface Trust {
  /** Name of the role. */
  readonly role: string;
  /** Issuer identifier, an `https:` URL. */
  readonly issuer: string;
  /** Audiences that tokens of the issuer may have at all (IAM's client ids of a provider). */
  readonly clientIds: readonly string[];
  /** Audience and subject that a token must have for this role. */
  readonly audience: string;
  readonly subject: string;
  /** SHA-1 of the certificates that may vouch for the issuer's keys, in hex: what IAM calls thumbprints. */
  readonly thumbprints: readonly string[];
  /** Statements of an IAM policy: what the role may do. */
  readonly permissions: readonly object[];
}

/**
 * Has IAM trust an issuer: a provider, and a role with conditions on audience and subject, as the documentation has it done at
 * AWS. `client` signs for a user who may. Gives the role's ARN. Throws with what IAM answered.
 */
export async function trustIssuer(client: S3Client, endpoint: string, trust: Trust): Promise<string> {
  const name = trust.issuer.replace(/^https:\/\//, '');
  const provider = `arn:aws:iam:::oidc-provider/${name}`;
  const condition = { [`${name}:aud`]: trust.audience, [`${name}:sub`]: trust.subject };
  const federated = {
    Effect: 'Allow',
    Principal: { Federated: [provider] },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: { StringEquals: condition },
  };
  const policy = (Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const { role } = trust;
  await callIam(client, endpoint, {
    Action: 'CreateOpenIDConnectProvider',
    Url: trust.issuer,
    ...members('ClientIDList', trust.clientIds),
    ...members('ThumbprintList', trust.thumbprints),
  });
  const made = await callIam(client, endpoint, {
    Action: 'CreateRole',
    RoleName: role,
    Path: '/',
    AssumeRolePolicyDocument: policy([federated]),
  });
  await callIam(client, endpoint, {
    Action: 'PutRolePolicy',
    RoleName: role,
    PolicyName: 'archive',
    PolicyDocument: policy(trust.permissions),
  });
  const [, arn] = /<Arn>([^<]+)<\/Arn>/.exec(made) ?? [];
  if (arn === undefined) throw new Error(`a role without an ARN: ${made}`);
  return arn;
}

/** A list as the query protocol of AWS writes it. */
const members = (name: string, values: readonly string[]): Record<string, string> =>
  Object.fromEntries(values.map((value, at) => [`${name}.member.${at + 1}`, value]));

async function callIam(client: S3Client, endpoint: string, query: Record<string, string>): Promise<string> {
  const { protocol, hostname, port, host } = new URL(endpoint);
  const signer = await client.config.signer();
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    port: Number(port),
    path: '/',
    query,
    headers: { host },
  });
  const { host: _, ...headers } = signed.headers;
  const response = await fetch(`${endpoint}/?${new URLSearchParams(query)}`, { method: 'POST', headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${query.Action}: status ${response.status}: ${text}`);
  return text;
}

/** A deployment's own pages as the internet sees them: over TLS, from the loopback door behind. */
export interface PublicIssuer {
  readonly issuer: string;
  /** The door that answers from now on. */
  serve(doorUrl: string): void;
  stop(): Promise<void>;
}

/**
 * Ends TLS before a door, as the edge does. radosgw 16 takes a key from a certificate only (`x5c`, RFC 7517 §4.7), where AWS and
 * Google take the key itself, and reads sets of one key only: so the certificate of each key in `certificates` is put beside it
 * here. Everything else comes from the door as it is.
 */
export async function startPublicIssuer(
  authority: Authority,
  certificates: readonly IssuedCertificate[],
): Promise<PublicIssuer> {
  const { pem, keyPem } = await authority.issue({
    subject: '/CN=127.0.0.1',
    subjectAltNames: ['IP:127.0.0.1'],
    usage: 'serverAuth',
  });
  let door = '';
  const server = createServer({ cert: pem, key: keyPem }, async (incoming, outgoing) => {
    const answer = await fetch(`${door}${incoming.url}`).catch(() => null);
    const text = (await answer?.text()) ?? '';
    const body = answer && incoming.url?.endsWith('/jwks.json') ? withCertificates(text, certificates) : text;
    outgoing.writeHead(answer?.status ?? 502, { 'content-type': 'application/json' }).end(body);
  });
  const listening: LoopbackServer = await listenOnLoopback(server);
  return {
    issuer: `https://127.0.0.1:${listening.port}/_authorizer`,
    serve(doorUrl) {
      door = doorUrl;
    },
    stop: () => listening.down(),
  };
}

const withCertificates = (keySet: string, certificates: readonly IssuedCertificate[]): string => {
  const { keys }: { keys: { x?: string }[] } = JSON.parse(keySet);
  const certified = keys.map((key) => {
    const of = certificates.find(({ pem }) => new X509Certificate(pem).publicKey.export({ format: 'jwk' }).x === key.x);
    return of ? { ...key, x5c: [Buffer.from(of.der).toString('base64')] } : key;
  });
  return JSON.stringify({ keys: certified });
};

/** SHA-1 of the certificate in hex. */
export const sha1Thumbprint = ({ der }: IssuedCertificate): string => createHash('sha1').update(der).digest('hex');
