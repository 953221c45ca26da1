import { readFile } from 'node:fs/promises';
import type { Composed } from '../compose/authorizer.ts';
import type { Decision } from '../decision/outcome.ts';
import type { Explain } from '../decision/ports.ts';
import type { AccessRequest, Endpoint } from '../decision/request.ts';
import { rawFields } from '../request/raw-fields.ts';
import { codeOf, statusOf } from '../respond/denial.ts';
import { type Command, type Console, options, Usage } from './command.ts';
import { composeForCommand } from './compose.ts';
import { type DenialFacts, denialFacts } from './denial-facts.ts';

/** One step of a decision, as it was told. */
export interface ToldStep {
  readonly step: string;
  readonly finding: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** A decision with everything that led to it. */
export interface Explanation {
  readonly decision: Decision;
  readonly steps: readonly ToldStep[];
  /** Null where the request is allowed. */
  readonly denial: DenialFacts | null;
}

const factNames = new Set(['found', 'wanted', 'set_by']);

/** Text of a caller with nothing in it that moves the cursor or begins a line. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/[^\x20-\x7e]/g, '?'),
  );
}

/** Decides about one request with the real code, and remembers every step. */
export async function explained(composed: Composed, request: AccessRequest): Promise<Explanation> {
  const steps: ToldStep[] = [];
  const waiting: Promise<unknown>[] = [];
  const told: Explain = (step, finding, facts = {}) => void steps.push({ step, finding, facts });
  const context = { defer: (promise: Promise<unknown>) => void waiting.push(promise), explain: told };
  const { decision } = await composed.enforce(request, context);
  await Promise.allSettled(waiting);
  if (decision.denial === null) return { decision, steps, denial: null };
  const known = steps.map(({ facts }) => facts).findLast(({ found, wanted }) => found != null || wanted != null) ?? {};
  const lastKnown = Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) =>
      factNames.has(name) && value !== null ? [[name, String(value)]] : [],
    ),
  );
  return { decision, steps, denial: denialFacts(decision.denial, lastKnown, decision, composed.config) };
}

/** The request that the arguments describe, with the credential where the configuration looks for it. */
export function requestWith(
  { config }: Composed,
  { method, target, credential, fields, peer, plain }: RequestParts,
): AccessRequest {
  const { settings, authMode } = config;
  const named = fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  const all: string[] = [...(named ? [] : ['host', 'explain.invalid']), ...fields];
  if (credential !== undefined) {
    if (authMode === 'api_key') all.push('x-api-key', credential);
    else all.push(settings.jwtHeader, `${settings.jwtBearerPrefix}${credential}`);
  }
  return {
    door: 'gateway',
    method,
    target,
    headers: rawFields(all),
    hop: { peerAddress: peer ?? null, secure: plain ? false : null, certificate: null },
  };
}

interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly credential: string | undefined;
  readonly fields: readonly string[];
  readonly peer?: string | undefined;
  readonly plain?: boolean;
}

export const explain: Command = {
  summary: 'decides about one request and tells every step of it',
  usage:
    'explain --method POST --path /v1/discover [--token TOKEN | --token-file FILE] [--header "name: value" ...] [--peer ADDRESS] [--plain] [--json]',
  async run(args, console) {
    const { values } = options(args, {
      method: { type: 'string', default: 'GET' },
      path: { type: 'string' },
      token: { type: 'string' },
      'token-file': { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
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
    const composed = await composeForCommand(console, { trial: true });
    if (!composed) return 2;
    const { method, path: target, peer, plain } = values;
    const told = await explained(composed, requestWith(composed, { method, target, credential, fields, peer, plain }));
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

function demandOf({ scope }: Endpoint): string {
  if (scope === null) return 'no scope: any authenticated caller';
  if (typeof scope === 'string') return `the scope ${scope}`;
  return 'any' in scope ? `any scope of ${scope.any.join(', ')}` : `all scopes of ${scope.all.join(', ')}`;
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
