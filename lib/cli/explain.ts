import { readFile } from 'node:fs/promises';
import type { Explain } from '../decision/ports.ts';
import type { AccessRequest } from '../decision/request.ts';
import { rawFields } from '../request/raw-fields.ts';
import { codeOf, statusOf } from '../respond/denial.ts';
import { type Command, options, Usage } from './command.ts';
import { composeForCommand } from './compose.ts';

function printable(text: string) {
  return text.replace(/[^\x20-\x7e]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/[^\x20-\x7e]/g, '?'),
  );
}

export const explain: Command = {
  summary: 'decides about one request and tells every step of it',
  usage:
    'explain --method POST --path /v1/discover [--token TOKEN | --token-file FILE] [--header "name: value" ...] [--peer ADDRESS] [--plain]',
  async run(args, console) {
    const { values } = options(args, {
      method: { type: 'string', default: 'GET' },
      path: { type: 'string' },
      token: { type: 'string' },
      'token-file': { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      peer: { type: 'string' },
      plain: { type: 'boolean', default: false },
    });
    if (values.path === undefined) throw new Usage('--path is the request target, such as /v1/jobs/42');
    const file = values['token-file'];
    const credential = file === undefined ? values.token : (await readFile(file, 'utf8')).trim();
    const fields: string[] = ['host', 'explain.invalid'];
    for (const text of values.header) {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new Usage('--header is "name: value"');
      fields.push(name, value);
    }

    const composed = await composeForCommand(console, { trial: true });
    if (!composed) return 2;
    const { settings, authMode } = composed.config;
    if (credential !== undefined) {
      if (authMode === 'api_key') fields.push('x-api-key', credential);
      else fields.push(settings.jwtHeader, `${settings.jwtBearerPrefix}${credential}`);
    }

    const request: AccessRequest = {
      door: 'gateway',
      method: values.method,
      target: values.path,
      headers: rawFields(fields),
      hop: { peerAddress: values.peer ?? null, secure: values.plain ? false : null, certificate: null },
    };
    const steps: Explain = (step, finding, facts = {}) => {
      const told = Object.entries(facts).filter(([, value]) => value !== null && value !== '');
      // Facts may hold what the caller wrote: nothing of it may move the cursor or begin a line.
      const detail = told.map(([name, value]) => `${name}=${printable(String(value))}`).join(' ');
      console.out(`${step.padEnd(14)} ${finding}${detail === '' ? '' : `  (${detail})`}`);
    };
    const waiting: Promise<unknown>[] = [];
    const { decision } = await composed.enforce(request, { defer: (promise) => waiting.push(promise), explain: steps });
    await Promise.allSettled(waiting);
    const { denial } = decision;
    console.out('');
    console.out(denial ? `denied: ${statusOf(denial)} ${codeOf(denial)}, because ${denial.reason}` : 'allowed');
    return denial ? 1 : 0;
  },
};
