import { momentProblems, proveKeys } from '../compose/lifecycle/keys.ts';
import { type Config, type Loaded, loadConfig } from '../config/load.ts';
import { fileProblems, sizeProblems } from '../config/policy/platform-limits.ts';
import { effectiveLines, effectiveSettings } from '../config/posture/effective.ts';
import { posture } from '../config/posture/posture.ts';
import { type Problem, problemLine } from '../config/problem.ts';
import { portFrom } from '../config/reading/port.ts';
import { rotationWarnings } from '../config/rotation.ts';
import type { Place } from '../config/rules/check.ts';
import { internalTlsProblems } from '../config/rules/internal-tls.ts';
import type { Resolved } from '../config/sources.ts';
import type { Log } from '../decision/ports.ts';
import { createEgressWatch } from '../egress/watch.ts';
import { auditLogProblems } from '../platform/node/audit-line.ts';
import { createNodeSecrets } from '../platform/node/secrets.ts';
import { authorityProblems } from '../platform/node/tls/client-chain.ts';
import { identifyConnections } from '../platform/node/tls/client-connections.ts';
import { createClientTls } from '../platform/node/tls/client-tls.ts';
import { serverTlsProblems } from '../platform/node/tls/server-tls.ts';
import { command, Failure, type Output } from './command.ts';
import { counted } from './line/text.ts';
import { shownProblem, showProblems } from './problems.ts';
import { proxyLines } from './proxy-lines.ts';

/** Options that say where the configuration is to be used. */
export const placeOptions = {
  platform: {
    type: 'string',
    choices: ['node', 'worker', 'lambda'],
    default: 'node',
    means: 'Where the configuration is to run.',
  },
  role: {
    type: 'string',
    choices: ['gateway', 'archive'],
    default: 'gateway',
    means: 'Whether it decides requests, or archives records.',
  },
} as const;

/** Where a command should take the configuration to be used, from `--platform` and `--role`. */
export function placeOf({ platform, role }: Pick<Place, 'platform' | 'role'>): Place {
  return { platform, role, upstreamBinding: platform === 'worker', bucketBinding: platform === 'worker' };
}

/** The environment with its secrets and documents read from where they are kept. */
export function resolveSecrets(env: Output['env'], clientTls = createClientTls(env)): Promise<Resolved> {
  const log: Log = () => undefined;
  return createNodeSecrets(env, {
    stopwatch: () => performance.now(),
    log,
    watch: createEgressWatch(log),
    identify: identifyConnections(clientTls),
  }).resolve();
}

/** The configuration of the environment, secrets read from where they are kept. */
export async function loadFrom(env: Output['env'], place: Place): Promise<Loaded> {
  const clientTls = createClientTls(env);
  const resolved = await resolveSecrets(env, clientTls);
  const loaded = loadConfig(resolved.env, place);
  const problems = [...resolved.problems, ...(place.platform === 'node' ? clientTls.problems : [])];
  if (loaded.ok && place.platform === 'node') problems.push(...nodeTlsProblems(loaded.config));
  if (loaded.ok)
    problems.push(...momentProblems(loaded.config, Date.now()), ...((await proveKeys(loaded.config)) ?? []));
  if (problems.length === 0) return loaded;
  return { ok: false, problems: [...problems, ...(loaded.ok ? [] : loaded.problems)], warnings: loaded.warnings };
}

function nodeTlsProblems({ settings }: Config): readonly Problem[] {
  return [
    ...internalTlsProblems(settings),
    ...serverTlsProblems(settings),
    ...authorityProblems(settings),
    ...auditLogProblems(settings),
  ];
}

/**
 * The configuration of the environment.
 *
 * @throws Failure with every problem, where it does not hold together.
 */
export async function configOf(console: Output, place: Place): Promise<Extract<Loaded, { readonly ok: true }>> {
  const loaded = await loadFrom(console.env, place);
  if (loaded.ok) return loaded;
  const { problems, warnings } = loaded;
  throw new Failure('configuration_invalid', 'configuration invalid', { problems, warnings });
}

const headings = {
  weak: ['weak', 'Weak'],
  enforced: ['good', 'Enforced'],
  attack: ['heading', 'What an attacker would try first'],
} as const;

export const checkConfig = command({
  summary: 'Prints every problem of the configuration, or its weak and its enforced settings.',
  options: {
    ...placeOptions,
    all: { type: 'boolean', means: 'Prints every variable in force; of a secret only its length.' },
  },
  examples: [
    { line: 'check-config', does: 'Checks the environment as a Node process would read it.' },
    {
      line: 'check-config --platform worker --all',
      does: 'Checks it for a Cloudflare Worker, and prints every variable.',
    },
  ],
  json: 'An object: `valid`, `problems` and `warnings` (`variable`, `found`, `accepted`), and of a valid configuration `proxy_lines`, `posture` (`kind`, `text`) and `settings` (`name`, `value`, `default`).',
  exits: { yes: 'The configuration is valid.', no: 'It is invalid.' },
  notes: ['The configuration is read from the environment. docs/reference/configuration.md has every variable.'],
  async run({ platform, role, all }, console) {
    const files = fileProblems(console.env, platform);
    const port = platform === 'node' && role === 'gateway' ? portFrom(console.env.PORT) : 0;
    const unfit = [
      ...sizeProblems(console.env, platform),
      ...files.problems,
      ...(typeof port === 'number' ? [] : [port]),
    ];
    const loaded = await loadFrom(console.env, placeOf({ platform, role }));
    const problems = [...unfit, ...(loaded.ok ? [] : loaded.problems)];
    if (!loaded.ok || problems.length > 0) {
      const { warnings } = loaded;
      console.answer({ valid: false, problems: problems.map(shownProblem), warnings: warnings.map(shownProblem) });
      showProblems('configuration invalid', problems, warnings, console);
      return 1;
    }
    const warnings = [...files.warnings, ...loaded.warnings, ...rotationWarnings(loaded.config, Date.now())];
    showValid(loaded.config, warnings, all, console);
    return 0;
  },
});

function showValid(config: Config, warnings: readonly Problem[], all: boolean, console: Output): void {
  const { style, out, sentence } = console;
  const [changes, lines, settings] = [proxyLines(config), posture(config), effectiveSettings(config)];
  console.answer({
    valid: true,
    problems: [],
    warnings: warnings.map(shownProblem),
    proxy_lines: changes,
    posture: lines,
    settings,
  });
  const some = warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`;
  out(style(warnings.length === 0 ? 'good' : 'weak', `configuration valid${some}`));
  for (const warning of warnings) sentence(`${style('weak', 'warning:')} ${problemLine(warning)}`, '  ');
  if (changes.length > 0) {
    out('');
    sentence(`Lines for ${config.settings.forwardAuth}, besides the documented file (docs/proxies):`);
    for (const line of changes) sentence(`  - ${line}`, '    ');
  }
  for (const kind of ['weak', 'enforced', 'attack'] as const) {
    const told = lines.filter((line) => line.kind === kind);
    if (told.length === 0) continue;
    const [format, heading] = headings[kind];
    out('');
    out(style(format, `${heading}:`));
    for (const { text } of told) sentence(`  - ${text}`, '    ');
  }
  out('');
  if (!all) out(`${counted(settings.length, 'variable is', 'variables are')} in force; --all prints them`);
  else for (const line of effectiveLines(config)) out(line.endsWith('(default)') ? style('quiet', line) : line);
}
