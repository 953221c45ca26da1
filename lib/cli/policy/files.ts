import { readFile, stat } from 'node:fs/promises';
import type { Config } from '../../config/load.ts';
import { yamlToJson } from '../../platform/node/yaml.ts';
import { besidePolicy, loadPolicy } from '../../policy/load.ts';
import { Failure, type Output, Unusable } from '../command.ts';
import { resolveSecrets } from '../config.ts';

/** The text of a JSON or YAML file as JSON. Throws `Unusable` with one sentence where it cannot be read. */
export async function jsonTextOf(path: string, maximumBytes: number): Promise<string> {
  const size = await stat(path).then(
    ({ size }) => size,
    () => null,
  );
  if (size === null) throw new Unusable(`${path}: cannot be read`);
  if (size > maximumBytes) throw new Unusable(`${path}: has ${size} bytes; at most ${maximumBytes} are read`);
  const text = await readFile(path, 'utf8');
  if (/^\s*[[{]/.test(text)) return text;
  try {
    return await yamlToJson(text);
  } catch (error) {
    throw new Unusable(`${path}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

const POLICY_MAXIMUM_BYTES = 4 * 1024 * 1024;

/**
 * The configuration of a policy file, or of the environment where no file is named.
 *
 * @throws Failure with every problem.
 */
export async function policyOf(path: string | undefined, console: Output): Promise<Config> {
  const document = path === undefined ? null : await jsonTextOf(path, POLICY_MAXIMUM_BYTES);
  const resolved = await resolveSecrets(document === null ? console.env : besidePolicy(console.env));
  const loaded = loadPolicy(document, resolved.env);
  const problems = [...resolved.problems, ...(loaded.ok ? [] : loaded.problems)];
  if (loaded.ok && problems.length === 0) return loaded.config;
  throw new Failure('configuration_invalid', `${path ?? 'configuration'} invalid`, { problems });
}

/** The operand of a command that reads one policy. */
export const policyOperand = {
  name: 'FILE',
  count: 'optional',
  file: true,
  means: 'The policy document, JSON or YAML. Without it: the policy of the environment.',
} as const;
