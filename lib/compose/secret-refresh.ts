import type { Config, Loaded } from '../config/load.ts';
import { type Problem, problemLine } from '../config/problem.ts';
import { type Resolved, secretNames } from '../config/sources.ts';
import type { Log } from '../decision/ports.ts';
import type { NodeSecrets } from '../platform/node/secrets.ts';
import { watchFiles } from '../platform/node/watch-files.ts';

export interface SecretRefresh {
  /** Looks no more, and waits for what is under way. */
  stop(): Promise<void>;
}

/**
 * Reads secrets again when a file changes and every `intervalMs` (0: never), and hands a configuration on when one of them is
 * another and the whole still holds together. What cannot be read, or does not hold together, changes nothing and is said
 * once, until it is something else. `replace` gives what is wrong with a configuration after all, or null.
 */
export function startSecretRefresh(
  settings: { readonly intervalMs: number; readonly first: Resolved },
  parts: {
    readonly secrets: NodeSecrets;
    readonly load: (env: Resolved['env']) => Loaded;
    readonly replace: (config: Config) => Promise<Problem | null>;
    /** Told of every reading, once it is known whether it counts. */
    readonly read: (resolved: Resolved) => Promise<void>;
    readonly log: Log;
  },
): SecretRefresh {
  const { secrets, load, replace, read, log } = parts;
  let inForce = settings.first.env;
  let said = '';
  let stopped = false;
  let underWay: Promise<void> = Promise.resolve();

  const sayOnce = (event: string, problems: readonly Problem[]) => {
    const lines = problems.map(problemLine);
    if (said === lines.join('\n')) return;
    said = lines.join('\n');
    for (const problem of lines) log('error', event, { problem });
  };

  const look = async () => {
    const resolved = await secrets.resolve();
    await judge(resolved);
    await read(resolved);
  };
  const judge = async ({ env, problems }: Resolved) => {
    if (problems.length > 0) return sayOnce('secrets_not_renewed', problems);
    const changed = secretNames.filter((name) => env[name] !== inForce[name]);
    if (changed.length === 0) {
      said = '';
      return;
    }
    const loaded = load(env);
    if (!loaded.ok) return sayOnce('secrets_refused', loaded.problems);
    const problem = await replace(loaded.config);
    if (problem) return sayOnce('secrets_refused', [problem]);
    inForce = env;
    said = '';
    log('info', 'secrets_renewed', { variables: changed.join(' ') });
  };
  const queue = () => {
    if (stopped) return;
    underWay = underWay.then(look).catch((error: unknown) => {
      log('error', 'secrets_not_renewed', { error: error instanceof Error ? error.name : 'unknown' });
    });
  };

  const unwatch = watchFiles(settings.intervalMs === 0 ? [] : secrets.files, queue);
  const timer =
    settings.intervalMs > 0 && (secrets.stored || secrets.files.length > 0)
      ? setInterval(queue, settings.intervalMs).unref()
      : undefined;
  return {
    async stop() {
      stopped = true;
      unwatch();
      clearInterval(timer);
      await underWay;
    },
  };
}
