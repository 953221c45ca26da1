import type { Problem } from '../problem.ts';
import type { Env, Platform } from '../variable.ts';
import { documentNames, POLICY } from './policy-document.ts';

/** Cloudflare: a variable of a Worker holds at most 5 KB, and a Worker has at most 128 variables (64 on the free plan). */
const WORKER_VARIABLE_BYTES = 5 * 1024;
const WORKER_VARIABLES = 128;
/** AWS: all variables of a Lambda function together, names included, hold at most 4 KB. */
const LAMBDA_ENVIRONMENT_BYTES = 4 * 1024;
/** Linux: one string of an environment, name included, holds at most 128 KiB (`MAX_ARG_STRLEN`). */
const NODE_VARIABLE_BYTES = 128 * 1024;

const remedy = 'a policy document that is compiled in (`npm run build -- --policy FILE`)';

/**
 * Files that a Worker has none of. The policy document alone has another way there: it is compiled into the bundle.
 *
 * @returns a problem for each file of a JSON document, and a warning for that of the policy document.
 */
export function fileProblems(
  env: Env,
  platform: Platform,
): { readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] } {
  if (platform !== 'worker') return { problems: [], warnings: [] };
  const files = documentNames.map((name) => `${name}_FILE`).filter((name) => typeof env[name] === 'string');
  const accepted = `nothing in a Worker, which has no files: ${remedy}`;
  const told = files.map((variable) => ({ variable, found: 'a path', accepted }));
  return {
    problems: told.filter(({ variable }) => variable !== `${POLICY}_FILE`),
    warnings: told.filter(({ variable }) => variable === `${POLICY}_FILE`),
  };
}

/**
 * What of an environment does not fit where it is going to be deployed.
 *
 * @param env - the variables as they are deployed, before files are read; names that are not ours are left out.
 * @param platform - where they go.
 * @returns one problem for each limit that is passed.
 */
export function sizeProblems(env: Env, platform: Platform): readonly Problem[] {
  const ours = Object.entries(env).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && /^(TGEFD|UPSTASH)_/.test(entry[0]),
  );
  const total = ours.reduce((sum, [name, text]) => sum + bytes(name) + bytes(text), 0);
  if (platform === 'lambda')
    return total <= LAMBDA_ENVIRONMENT_BYTES
      ? []
      : [
          {
            variable: largestOf(ours),
            found: `${total} bytes in all variables together`,
            accepted: `at most ${LAMBDA_ENVIRONMENT_BYTES} bytes on Lambda: ${remedy}`,
          },
        ];
  const most = platform === 'worker' ? WORKER_VARIABLE_BYTES : NODE_VARIABLE_BYTES;
  const tooLarge = ours.filter(([name, text]) => bytes(text) + (platform === 'node' ? bytes(name) + 2 : 0) > most);
  const problems = tooLarge.map(([name, text]) => ({
    variable: name,
    found: `${bytes(text)} bytes`,
    accepted:
      platform === 'worker'
        ? `at most ${most} bytes in a variable of a Worker: ${remedy}`
        : `at most ${most} bytes in a variable: ${name}_FILE`,
  }));
  if (platform === 'worker' && ours.length > WORKER_VARIABLES)
    problems.push({
      variable: ours[0]?.[0] ?? '',
      found: `${ours.length} variables`,
      accepted: `at most ${WORKER_VARIABLES} in a Worker`,
    });
  return problems;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function largestOf(entries: readonly (readonly [string, string])[]): string {
  return [...entries].sort(([, one], [, other]) => other.length - one.length)[0]?.[0] ?? '';
}
