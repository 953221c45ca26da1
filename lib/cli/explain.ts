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
import { type Command, type Console, options, Usage } from './command.ts';
import { composeForCommand } from './compose.ts';

export const explain: Command = {
  summary: 'decides about one request and tells every step of it',
  usage:
    'explain --method POST --path /v1/discover [--token TOKEN | --token-file FILE] [--header "name: value" ...] [--body TEXT | --body-file FILE] [--peer ADDRESS] [--plain] [--json]',
  async run(args, console) {
    const { values } = options(args, {
      method: { type: 'string', default: 'GET' },
      path: { type: 'string' },
      token: { type: 'string' },
      'token-file': { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      body: { type: 'string' },
      'body-file': { type: 'string' },
      peer: { type: 'string' },
      plain: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    });
    if (values.path === undefined) throw new Usage('--path is the request target, such as /v1/jobs/42');
    const file = values['token-file'];
    const credential = file === undefined ? values.token : (await readFile(file, 'utf8')).trim();
    const fields = values.header.flatMap((text) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new Usage('--header is "name: value"');
      return [name, value];
    });
    const bodyFile = values['body-file'];
    if (bodyFile !== undefined && values.body !== undefined) throw new Usage('--body or --body-file: one of the two');
    const body = bodyFile === undefined ? values.body : await readFile(bodyFile, 'utf8');
    const composed = await composeForCommand(console, { trial: true });
    if (!composed) return 2;
    const { method, path: target, peer, plain } = values;
    const told = await explained(
      composed.enforce,
      composed.config,
      requestWith(composed.config, { method, target, credential, fields, peer, plain, body }),
    );
    if (values.json) console.out(JSON.stringify(asJson(told)));
    else tell(told, console);
    return told.denial ? 1 : 0;
  },
};

function tell({ decision, steps, denial }: Explanation, console: Console): void {
  for (const { step, finding, facts } of steps) {
    const told = Object.entries(facts).filter(
      ([name, value]) => value !== null && value !== '' && !factNames.has(name),
    );
    const detail = told.map(([name, value]) => `${name}=${printable(String(value))}`).join(' ');
    console.out(`${step.padEnd(14)} ${finding}${detail === '' ? '' : `  (${detail})`}`);
  }
  const row = decision.endpoint;
  if (row !== null) console.out(`${'row'.padEnd(14)} ${row.method} ${row.pattern} demands ${demandOf(row)}`);
  console.out('');
  if (decision.denial === null || denial === null) {
    console.out('allowed');
    return;
  }
  console.out(`denied: ${statusOf(decision.denial)} ${codeOf(decision.denial)}, because ${decision.denial.reason}`);
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
