import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Authority, IssuedCertificate } from './certificates.ts';
import { type LoopbackServer, listenOnLoopback } from './loopback-server.ts';

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));

/** What the page on secrets has an operator do at IAM, command by command: `[service, operation, …options]`. */
export type Commands = readonly (readonly string[])[];

/**
 * The commands of docs/guides/secrets.md that give a role to an issuer, as a shell hands them to `aws`: run with that program
 * replaced by one that notes what it is called with. `values` are what the operator fills in. Throws where the page has no such
 * commands.
 */
export async function documentedTrust(values: Readonly<Record<string, string>>): Promise<Commands> {
  const page = await readFile(join(ROOT, 'docs/guides/secrets.md'), 'utf8');
  const block = [...page.matchAll(/```sh[^\n]*\n(.*?)```/gs)].find(([, text]) =>
    text?.includes('aws iam create-role'),
  )?.[1];
  if (block === undefined) throw new Error('docs/guides/secrets.md has no `aws iam create-role`');
  const note = 'aws() { for one in "$@"; do printf "%s\\0" "$one"; done; printf "\\n\\0"; }';
  const withoutExample = block.replace(/^ISSUER=.*$/m, '');
  const { stdout } = await run('bash', ['-euc', `${note}\n${withoutExample}`], {
    env: { PATH: process.env.PATH, ...values },
  });
  return stdout
    .split('\n\0')
    .map((call) => call.split('\0').slice(0, -1))
    .filter((call) => call.length > 0);
}

/** The value of an option of a documented command. Throws where there is no such command or option. */
function documented(commands: Commands, operation: string, option: string): string {
  const call = commands.find(([, name]) => name === operation) ?? [];
  const value = call[call.indexOf(option) + 1];
  if (!call.includes(option) || value === undefined) throw new Error(`no ${operation} ${option}`);
  return value;
}

/** An IAM that is asked over its query protocol; `client` signs for a user who may. */
export interface Iam {
  readonly client: S3Client;
  readonly endpoint: string;
}

/**
 * Makes the provider of the page, which takes `moreClientIds` as audiences too. `thumbprints` are SHA-1 of the certificates that may
 * vouch for the issuer's keys, in hex. Throws with what IAM answered.
 */
export async function createProvider(
  iam: Iam,
  commands: Commands,
  {
    moreClientIds,
    thumbprints,
  }: { readonly moreClientIds: readonly string[]; readonly thumbprints: readonly string[] },
): Promise<void> {
  const option = (name: string) => documented(commands, 'create-open-id-connect-provider', name);
  await callIam(iam, {
    Action: 'CreateOpenIDConnectProvider',
    Url: option('--url'),
    ...members('ClientIDList', [option('--client-id-list'), ...moreClientIds]),
    ...members('ThumbprintList', thumbprints),
  });
}

/**
 * Makes the role of the page with its trust and its permissions, under another name. Ceph knows no `kms:` actions, so that
 * statement is left out. Gives the role's ARN. Throws with what IAM answered.
 */
export async function createRole(iam: Iam, commands: Commands, RoleName: string): Promise<string> {
  const { Version, Statement }: { Version: string; Statement: { Action: string | string[] }[] } = JSON.parse(
    documented(commands, 'put-role-policy', '--policy-document'),
  );
  const known = Statement.filter(({ Action }) => ![Action].flat().some((action) => action.startsWith('kms:')));
  const made = await callIam(iam, {
    Action: 'CreateRole',
    RoleName,
    Path: '/',
    AssumeRolePolicyDocument: documented(commands, 'create-role', '--assume-role-policy-document'),
  });
  await callIam(iam, {
    Action: 'PutRolePolicy',
    RoleName,
    PolicyName: documented(commands, 'put-role-policy', '--policy-name'),
    PolicyDocument: JSON.stringify({ Version, Statement: known }),
  });
  const [, arn] = /<Arn>([^<]+)<\/Arn>/.exec(made) ?? [];
  if (arn === undefined) throw new Error(`a role without an ARN: ${made}`);
  return arn;
}

/** A list as the query protocol of AWS writes it. */
function members(name: string, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(values.map((value, at) => [`${name}.member.${at + 1}`, value]));
}

async function callIam({ client, endpoint }: Iam, query: Record<string, string>): Promise<string> {
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

function withCertificates(keySet: string, certificates: readonly IssuedCertificate[]): string {
  const { keys }: { keys: { x?: string }[] } = JSON.parse(keySet);
  const certified = keys.map((key) => {
    const of = certificates.find(({ pem }) => new X509Certificate(pem).publicKey.export({ format: 'jwk' }).x === key.x);
    return of ? { ...key, x5c: [Buffer.from(of.der).toString('base64')] } : key;
  });
  return JSON.stringify({ keys: certified });
}

/** SHA-1 of the certificate in hex. */
export function sha1Thumbprint({ der }: IssuedCertificate): string {
  return createHash('sha1').update(der).digest('hex');
}
