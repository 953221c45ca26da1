import { documentNames } from './policy/policy-document.ts';
import type { Problem } from './problem.ts';
import type { Env } from './variable.ts';
import { variableEntries } from './variables.ts';

/** Reads a secret from where it is kept; rejects with a message that may be shown (it must not hold the secret). */
export type ReadSecret = (reference: string) => Promise<string>;

export interface Sources {
  /** Reads a mounted file by its path, or null where there are no files (Workers). */
  readonly file: ReadSecret | null;
  /** Reads a JSON document from a file by its path; left out where there are no files. */
  readonly document?: ReadSecret;
  /** Secret stores by the scheme of their references: `vault`, `aws-sm`, `cf`. The part after the colon is handed on. */
  readonly stores: ReadonlyMap<string, ReadSecret>;
}

/** One secret that was read from outside the environment, for the access record: never its value. */
export interface SecretAccess {
  readonly variable: string;
  readonly source: string;
  readonly ok: boolean;
}

export interface Resolved {
  /** The environment with every `X_FILE` and reference replaced by the value it stands for. */
  readonly env: Env;
  readonly problems: readonly Problem[];
  readonly accesses: readonly SecretAccess[];
}

/** Stores by the scheme of their references, and what must be there for each. */
const storeOf = {
  vault: 'a reference to Vault beside TGEFD_VAULT_URL, on Node',
  'aws-sm': 'a reference to AWS Secrets Manager in a Lambda function with the Parameters and Secrets extension',
  cf: 'a reference to a binding of the Secrets Store, in a Worker',
} as const;

/** The scheme of a reference, or null for a text that is none: a secret must never be a place where one is kept. */
export function schemeOf(text: string): keyof typeof storeOf | null {
  const scheme = /^([a-z][a-z0-9-]*):/.exec(text)?.[1];
  return scheme !== undefined && Object.hasOwn(storeOf, scheme) ? (scheme as keyof typeof storeOf) : null;
}

/** Every variable that holds a secret, with aliases and previous values. */
export const secretNames: readonly string[] = variableEntries
  .filter(([, { secret }]) => secret)
  .flatMap(([, { name, aliases = [] }]) => [name, ...aliases].flatMap((each) => [each, `${each}_PREVIOUS`]));

/** Whether any secret or document stands outside the environment: in a file, or in a store that a reference names. */
export function standElsewhere(env: Env): boolean {
  if (documentNames.some((name) => `${name}_FILE` in env)) return true;
  return secretNames.some((name) => {
    const text = env[name];
    return `${name}_FILE` in env || (typeof text === 'string' && schemeOf(text) !== null);
  });
}

/** What has been resolved so far. */
interface Resolving {
  readonly env: Env;
  readonly sources: Sources;
  readonly resolved: Record<string, unknown>;
  readonly problems: Problem[];
  readonly accesses: SecretAccess[];
}

/**
 * Resolves secrets that stand elsewhere: `X_FILE` names a mounted file (one trailing newline is dropped), and a value such
 * as `vault:mount/path#field` names a store; one whose store is not there is a problem, not a value. Gives every problem at
 * once; a secret that cannot be read is never replaced by an older or weaker one. An empty `X_PREVIOUS` from a file or a
 * store is none. Without files and references nothing is awaited but the function itself.
 */
export async function resolveSources(env: Env, sources: Sources): Promise<Resolved> {
  const resolving: Resolving = { env, sources, resolved: { ...env }, problems: [], accesses: [] };
  for (const name of documentNames) {
    const path = env[`${name}_FILE`];
    if (typeof path === 'string') await takeDocument(resolving, name, path);
  }
  for (const name of secretNames) {
    const path = env[`${name}_FILE`];
    const text = env[name];
    if (typeof path === 'string') await takeFile(resolving, name, path);
    else if (typeof text === 'string') await takeReference(resolving, name, text);
  }
  return { env: resolving.resolved, problems: resolving.problems, accesses: resolving.accesses };
}

async function takeDocument(
  { env, sources, resolved, problems }: Resolving,
  name: string,
  path: string,
): Promise<void> {
  delete resolved[`${name}_FILE`];
  const report = (found: string, accepted: string) => problems.push({ variable: `${name}_FILE`, found, accepted });
  if (typeof env[name] === 'string') report(`a value beside ${name}`, 'one of the two');
  else if (!sources.document) report('a path', 'nothing here: there are no files');
  else
    try {
      resolved[name] = await sources.document(path);
    } catch (error) {
      report(messageOf(error), 'a readable file');
    }
}

async function takeFile(resolving: Resolving, name: string, path: string): Promise<void> {
  const { env, sources, resolved, problems } = resolving;
  const { file } = sources;
  const variable = `${name}_FILE`;
  delete resolved[variable];
  if (typeof env[name] === 'string')
    problems.push({ variable, found: `a value beside ${name}`, accepted: 'one of the two' });
  else if (!file) problems.push({ variable, found: 'a path', accepted: 'nothing here: there are no files' });
  else await takeSecret(resolving, { variable, name }, 'file', async () => (await file(path)).replace(/\r?\n$/, ''));
}

async function takeReference(resolving: Resolving, name: string, text: string): Promise<void> {
  const scheme = schemeOf(text);
  if (scheme === null) return;
  const store = resolving.sources.stores.get(scheme);
  if (store) return takeSecret(resolving, { variable: name, name }, scheme, () => store(text.slice(scheme.length + 1)));
  delete resolving.resolved[name];
  resolving.problems.push({
    variable: name,
    found: `a reference \`${scheme}:\` without its store`,
    accepted: storeOf[scheme],
  });
}

async function takeSecret(
  { resolved, problems, accesses }: Resolving,
  { variable, name }: { readonly variable: string; readonly name: string },
  source: string,
  read: () => Promise<string>,
): Promise<void> {
  try {
    const text = await read();
    // A rotation ends when the file or the store of the previous value is empty.
    if (text === '' && name.endsWith('_PREVIOUS')) delete resolved[name];
    else resolved[name] = text;
    accesses.push({ variable: name, source, ok: true });
  } catch (error) {
    accesses.push({ variable: name, source, ok: false });
    problems.push({ variable, found: messageOf(error), accepted: 'a secret that can be read' });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'something unreadable';
}
