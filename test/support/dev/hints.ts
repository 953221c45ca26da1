import type { Issuer } from '../issuer.ts';
import type { DevOptions, DevRow } from './options.ts';

const TOKEN_SECONDS = 3600;

/** Where everything is, for the texts. */
export interface Running {
  readonly gateway: string;
  readonly options: DevOptions;
  /** The stand-in that mints tokens; null where the developer's own issuers count. */
  readonly issuer: Issuer | null;
  /** The file with the variables of the gateway. */
  readonly envFile: string;
  readonly hasStore: boolean;
}

const discover: DevRow = { method: 'POST', path: '/v1/discover', scopes: ['discover'] };

/** Three requests to try, each with what it shows. */
export async function requestsToTry({ gateway, options, issuer }: Running): Promise<string> {
  const rows = options.policy?.rows ?? [];
  const row =
    options.policy === null ? discover : (rows.find(({ scopes }) => scopes.length > 0) ?? rows[0] ?? discover);
  const line = (token: string) =>
    `curl -i ${row.method === 'GET' ? '' : `-X ${row.method} `}${gateway}${row.path} -H 'authorization: Bearer ${token}'`;
  if (issuer === null)
    return `
Try a token of your issuer: 200 where it may, 403 where its scopes do not reach, 401 where it is not accepted

${line('PUT-YOUR-TOKEN-HERE')}

Not as you meant it? Ask which claim decides, with the token in a file:
  node functions/cli.ts doctor token --token-file token.txt
`;
  const ask = { subject: 'alice', algorithm: 'ES256', lifetimeSeconds: TOKEN_SECONDS } as const;
  const [allowed, narrow, foreign] = await Promise.all([
    issuer.token({ ...ask, scope: [...row.scopes, ...(options.policy === null ? ['jobs'] : [])].join(' ') }),
    issuer.token({ ...ask, scope: options.policy === null ? 'jobs' : 'another' }),
    issuer.token({ ...ask, scope: row.scopes.join(' '), audience: 'urn:another:api' }),
  ]);
  return `
Allowed: 200, and the upstream ${options.upstream === null ? 'shows what reached it (the caller’s name, not the token)' : 'is yours'}

${line(allowed)}

Forbidden by scope: 403 insufficient_scope, this token does not hold ${row.scopes.join(' and ') || 'any scope that a row demands'}

${line(narrow)}

Refused: 401 credentials_invalid, this token was issued for another API

${line(foreign)}
`;
}

/** What to do next, by what the developer has brought already. */
export function nextSteps({ options, issuer, envFile, hasStore }: Running): string {
  const revoke = hasStore
    ? [
        'Revoke a caller, in another shell (the file holds the store’s token):',
        `  sh -c 'set -a; . ${envFile}; node functions/cli.ts revoke --sub alice'`,
      ]
    : ['Revocations need Redis: install redis-server, then start again.'];
  return [
    ...(issuer === null
      ? []
      : [`More tokens:  node functions/cli.ts token --issuer ${issuer.url} --sub you --scope "discover jobs"`]),
    ...revoke,
    ...(options.upstream === null ? ['Your own service:  npm run dev -- --upstream http://127.0.0.1:3000'] : []),
    ...(options.policy === null ? ['Your own endpoints:  npm run dev -- --policy policy.yaml'] : []),
    ...(issuer === null ? [] : ['Your own issuer:  npm run dev -- --issuer https://issuer.example --audience api']),
    `Why was it decided so?  sh -c 'set -a; . ${envFile}; node functions/cli.ts explain --method GET --path / --token-file token.txt'`,
  ].join('\n');
}
