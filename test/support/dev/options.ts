import { parseArgs } from 'node:util';
import { policyFaults } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';
import { createDocumentReader } from '../../../lib/platform/node/documents.ts';
import { yamlToJson } from '../../../lib/platform/node/yaml.ts';

/** What the developer brings; null where `npm run dev` brings a stand-in. */
export interface DevOptions {
  readonly upstream: URL | null;
  readonly policy: PolicyOption | null;
  readonly issuer: { readonly url: string; readonly audience: string | null } | null;
  readonly console: boolean;
  readonly traffic: boolean;
}

/** A policy document, and what of it the stand-ins have to know. */
export interface PolicyOption {
  readonly path: string;
  readonly text: string;
  readonly namesIssuers: boolean;
  readonly rows: readonly DevRow[];
}

export interface DevRow {
  readonly method: string;
  readonly path: string;
  /** Scopes of a token that the row lets through; empty: none are needed. */
  readonly scopes: readonly string[];
}

export const USAGE = `npm run dev -- [--upstream URL] [--policy FILE] [--issuer URL [--audience NAME]] [--no-console] [--no-traffic]

  --upstream URL    your service, such as http://127.0.0.1:3000 (a stand-in otherwise)
  --policy FILE     your policy document, JSON or YAML (the endpoints of the TGEFD service otherwise)
  --issuer URL      your issuer, found by its discovery document (a stand-in that mints any token otherwise)
  --audience NAME   the audience of your issuer's tokens (any otherwise)
  --no-console      without the console
  --no-traffic      without the callers that give the console something to show; a service of yours never gets them`;

/**
 * Reads the arguments of `npm run dev`.
 *
 * @throws Error with what is wrong, for the developer.
 */
export async function readOptions(args: readonly string[]): Promise<DevOptions> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      upstream: { type: 'string' },
      policy: { type: 'string' },
      issuer: { type: 'string' },
      audience: { type: 'string' },
      'no-console': { type: 'boolean', default: false },
      'no-traffic': { type: 'boolean', default: false },
    },
  });
  if (values.audience !== undefined && values.issuer === undefined)
    throw new Error(`--audience belongs to --issuer\n\n${USAGE}`);
  const policy = values.policy === undefined ? null : await readPolicy(values.policy);
  if (policy?.namesIssuers && values.issuer !== undefined)
    throw new Error(`${policy.path} names issuers: leave out --issuer, or the member "issuers"`);
  return {
    upstream: values.upstream === undefined ? null : originOf(values.upstream),
    policy,
    issuer: values.issuer === undefined ? null : { url: values.issuer, audience: values.audience ?? null },
    console: !values['no-console'],
    traffic: !values['no-traffic'] && !values['no-console'],
  };
}

/** The variables of the gateway that come from the options. */
export function environmentOf({ upstream, policy, issuer }: DevOptions): Record<string, string> {
  return {
    ...(upstream === null ? {} : { TGEFD_UPSTREAM_URL: upstream.origin }),
    ...(upstream?.protocol === 'http:' ? { TGEFD_UPSTREAM_ALLOW_HTTP: 'true' } : {}),
    ...(policy === null ? {} : { TGEFD_POLICY: policy.text }),
    ...(issuer === null ? {} : { TGEFD_JWT_ISSUER: issuer.url, TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA' }),
    ...(issuer?.audience == null ? {} : { TGEFD_JWT_AUDIENCE: issuer.audience }),
  };
}

function originOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '')
    throw new Error(`--upstream is an origin such as http://127.0.0.1:3000, not ${JSON.stringify(text)}`);
  return url;
}

async function readPolicy(path: string): Promise<PolicyOption> {
  const text = await createDocumentReader(yamlToJson)(path).catch((error: Error) => {
    throw new Error(`--policy ${path}: ${error.message}`);
  });
  const problems = policyFaults(text, { environment: 'development', platform: 'worker' });
  if (problems.length > 0) throw new Error([`--policy ${path}:`, ...problems.map(problemLine)].join('\n  '));
  const document = JSON.parse(text) as { endpoints?: readonly WrittenRow[]; issuers?: unknown };
  const rows = (document.endpoints ?? []).map(({ method, path: pattern, scope }) => ({
    method,
    path: pattern.replace(/\{[^}]*\}/g, 'example'),
    scopes: scopesOf(scope),
  }));
  // On one line and without an apostrophe, which would end the quotes of a file of variables.
  const line = JSON.stringify(document).replaceAll("'", String.raw`\u0027`);
  return { path, text: line, rows, namesIssuers: document.issuers !== undefined };
}

interface WrittenRow {
  readonly method: string;
  readonly path: string;
  readonly scope: WrittenScope;
}
type WrittenScope = string | null | { readonly any?: string | string[]; readonly all?: string | string[] };

function scopesOf(scope: WrittenScope): readonly string[] {
  if (scope === null) return [];
  if (typeof scope === 'string') return [scope];
  return scope.all === undefined ? [scope.any ?? []].flat().slice(0, 1) : [scope.all].flat();
}
