import { momentProblems, proveKeys } from '../compose/lifecycle/keys.ts';
import { type Config, type Loaded, loadConfig } from '../config/load.ts';
import { fileProblems, sizeProblems } from '../config/policy/platform-limits.ts';
import { effectiveLines } from '../config/posture/effective.ts';
import { posture } from '../config/posture/posture.ts';
import { type Problem, problemLine } from '../config/problem.ts';
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
import { type Command, type Console, options, Usage } from './command.ts';
import { proxyLines } from './proxy-lines.ts';

const platforms = ['worker', 'node', 'lambda'] as const;
const roles = ['gateway', 'archive'] as const;

/** Where a command should take the configuration to be used, from `--platform` and `--role`. */
export function placeOf(platform: string, role: string): Place {
  const [onPlatform, inRole] = [platforms.find((each) => each === platform), roles.find((each) => each === role)];
  if (!onPlatform) throw new Usage(`--platform is one of ${platforms.join(', ')}`);
  if (!inRole) throw new Usage(`--role is one of ${roles.join(', ')}`);
  return {
    platform: onPlatform,
    role: inRole,
    upstreamBinding: onPlatform === 'worker',
    bucketBinding: onPlatform === 'worker',
  };
}

/** The environment with its secrets and documents read from where they are kept. */
export function resolveSecrets(env: Console['env'], clientTls = createClientTls(env)): Promise<Resolved> {
  const log: Log = () => undefined;
  return createNodeSecrets(env, {
    stopwatch: () => performance.now(),
    log,
    watch: createEgressWatch(log),
    identify: identifyConnections(clientTls),
  }).resolve();
}

/** The configuration of the environment, secrets read from where they are kept. */
export async function loadFrom(env: Console['env'], place: Place): Promise<Loaded> {
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

/** Prints the problems of a configuration; gives it when there are none. */
export async function configOrProblems(console: Console, place: Place, further: readonly Problem[] = []) {
  const loaded = await loadFrom(console.env, place);
  if (loaded.ok && further.length === 0) return loaded;
  console.err('configuration invalid:');
  for (const problem of [...further, ...(loaded.ok ? [] : loaded.problems)]) console.err(`  ${problemLine(problem)}`);
  for (const warning of loaded.warnings) console.err(`  warning: ${problemLine(warning)}`);
  return null;
}

const headings = { enforced: 'Enforced', weak: 'Weak', attack: 'What an attacker would try first' } as const;

export const checkConfig: Command = {
  summary: 'prints every problem of the configuration, or what is in force and how strong it is',
  usage: 'check-config [--platform node|worker|lambda] [--role gateway|archive] [--all]',
  async run(args, console) {
    const { values } = options(args, {
      platform: { type: 'string', default: 'node' },
      role: { type: 'string', default: 'gateway' },
      all: { type: 'boolean', default: false },
    });
    const place = placeOf(values.platform, values.role);
    const files = fileProblems(console.env, place.platform);
    const unfit = [...sizeProblems(console.env, place.platform), ...files.problems];
    const loaded = await configOrProblems(console, place, unfit);
    if (!loaded) return 1;
    const { config } = loaded;
    const warnings = [...files.warnings, ...loaded.warnings, ...rotationWarnings(config, Date.now())];
    const count = warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`;
    console.out(warnings.length === 0 ? 'configuration valid' : `configuration valid, ${count}`);
    for (const warning of warnings) console.out(`warning: ${problemLine(warning)}`);
    const changes = proxyLines(config);
    if (changes.length > 0) {
      console.out('');
      console.out(`Lines for ${config.settings.forwardAuth}, besides the documented file (docs/proxies):`);
      for (const line of changes) console.out(`  - ${line}`);
    }
    const lines = posture(config);
    for (const kind of ['weak', 'enforced', 'attack'] as const) {
      const told = lines.filter((line) => line.kind === kind);
      if (told.length === 0) continue;
      console.out('');
      console.out(`${headings[kind]}:`);
      for (const { text } of told) console.out(`  - ${text}`);
    }
    const table = effectiveLines(config);
    console.out('');
    if (values.all) for (const line of table) console.out(line);
    else console.out(`${table.length} variables are in force; --all prints them`);
    return 0;
  },
};
