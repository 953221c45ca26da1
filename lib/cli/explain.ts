import { readFile } from 'node:fs/promises';
import {
  demandOf,
  type Explanation,
  explained,
  factNames,
  printable,
  requestWith,
} from '../policy/explain/explanation.ts';
import { codeOf, statusOf } from '../respond/denial.ts';
import { command, type Output, Usage } from './command.ts';
import { composeForCommand } from './compose.ts';

export const explain = command({
  summary: 'Decides one request as the authorizer would, and prints every step.',
  options: {
    method: { type: 'string', value: 'METHOD', default: 'GET', means: 'Method of the request.' },
    path: {
      type: 'string',
      value: 'PATH',
      required: true,
      means: 'Path of the request with its query, such as /v1/jobs/42.',
    },
    token: {
      type: 'string',
      value: 'TOKEN',
      means: 'Token that the caller sends. Other users of the machine can see it.',
    },
    'token-file': { type: 'string', value: 'FILE', means: 'File with the token.' },
    header: { type: 'string', multiple: true, value: '"NAME: VALUE"', means: 'A header of the request.' },
    body: { type: 'string', value: 'TEXT', means: 'Body of the request.' },
    'body-file': { type: 'string', value: 'FILE', means: 'File with the body.' },
    peer: { type: 'string', value: 'ADDRESS', means: 'Address that the connection comes from.' },
    plain: { type: 'boolean', means: 'Treats the request as one without TLS.' },
  },
  examples: [
    {
      line: 'explain --method POST --path /v1/discover --token-file token',
      does: 'Says whether the caller with this token may call the endpoint, and why.',
    },
    {
      line: 'explain --path /v1/jobs/42 --header "x-api-key: KEY" --peer 10.0.0.7 --json',
      does: 'Decides a request with an API key from behind a proxy, for a script.',
    },
  ],
  json: 'An object: `outcome`, `status`, `code`, `reason`, `found`, `wanted`, `set_by`, `row`, `caller` and `steps`.',
  exits: { yes: 'The request is allowed.', no: 'It is denied.' },
  notes: ['Nothing is spent, stored or recorded. The configuration is read from the environment.'],
  async run({ method, path: target, token, 'token-file': file, header, peer, plain, ...given }, console) {
    if (file !== undefined && token !== undefined) throw new Usage('give --token or --token-file, not both');
    const credential = file === undefined ? token : (await readFile(file, 'utf8')).trim();
    const fields = header.flatMap((text) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new Usage('--header is "name: value"');
      return [name, value];
    });
    const body = await bodyOf(given);
    const composed = await composeForCommand(console, { trial: true });
    const told = await explained(
      composed.enforce,
      composed.config,
      requestWith(composed.config, { method, target, credential, fields, peer, plain, body }),
    );
    console.answer(asJson(told));
    tell(told, console);
    return told.denial ? 1 : 0;
  },
});

interface GivenBody {
  readonly body: string | undefined;
  readonly 'body-file': string | undefined;
}

async function bodyOf({ body, 'body-file': file }: GivenBody): Promise<string | undefined> {
  if (file !== undefined && body !== undefined) throw new Usage('give --body or --body-file, not both');
  return file === undefined ? body : readFile(file, 'utf8');
}

function tell({ decision, steps, denial }: Explanation, console: Output): void {
  for (const { step, finding, facts } of steps) {
    const told = Object.entries(facts).filter(
      ([name, value]) => value !== null && value !== '' && !factNames.has(name),
    );
    const detail = told.map(([name, value]) => `${name}=${printable(String(value))}`).join(' ');
    console.out(`${step.padEnd(14)} ${finding}${detail === '' ? '' : console.style('quiet', `  (${detail})`)}`);
  }
  const row = decision.endpoint;
  if (row !== null) console.out(`${'row'.padEnd(14)} ${row.method} ${row.pattern} demands ${demandOf(row)}`);
  console.out('');
  if (decision.denial === null || denial === null) {
    console.out(console.style('good', 'allowed'));
    return;
  }
  const verdict = `denied: ${statusOf(decision.denial)} ${codeOf(decision.denial)}, because ${decision.denial.reason}`;
  console.out(console.style('bad', verdict));
  console.out(`  found   ${printable(denial.found)}`);
  console.out(`  wanted  ${printable(denial.wanted)}`);
  console.out(`  set by  ${printable(denial.set_by)}`);
}

function asJson({ decision, steps, denial }: Explanation) {
  const { endpoint, principal } = decision;
  return {
    outcome: decision.denial === null ? 'allowed' : 'denied',
    status: decision.denial === null ? 200 : statusOf(decision.denial),
    code: decision.denial === null ? null : codeOf(decision.denial),
    reason: decision.denial?.reason ?? null,
    found: denial?.found ?? null,
    wanted: denial?.wanted ?? null,
    set_by: denial?.set_by ?? null,
    row:
      endpoint === null
        ? null
        : { method: endpoint.method, path: endpoint.pattern, action: endpoint.action, scope: endpoint.scope },
    caller: principal && {
      method: principal.method,
      subject: principal.subject,
      issuer: principal.issuer,
      scopes: principal.scopes,
      roles: principal.roles,
    },
    steps,
  };
}
