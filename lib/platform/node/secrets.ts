import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { egressTarget } from '../../config/egress.ts';
import { type Resolved, resolveSources, secretNames, standElsewhere } from '../../config/sources.ts';
import type { Variable } from '../../config/variable.ts';
import { type SettingKey, variables } from '../../config/variables.ts';
import type { Clock, Log } from '../../decision/ports.ts';
import { createEgress } from '../../egress/guard.ts';
import type { EgressWatch } from '../../egress/watch.ts';
import { createVaultSecrets } from '../../secrets/vault.ts';
import { createDocumentReader } from './documents.ts';
import { createNodeEgress } from './egress.ts';
import { createNodeFetch } from './fetch.ts';
import { yamlToJson } from './yaml.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The secrets of a Node process: values of the environment, mounted files, Vault. */
export interface NodeSecrets {
  /** Reads every one anew. */
  resolve(): Promise<Resolved>;
  /** Files that secrets are read from. */
  readonly files: readonly string[];
  /** Whether any secret or document is kept outside the environment, so that it has to be read first. */
  readonly elsewhere: boolean;
}

interface SecretParts {
  readonly stopwatch: Clock;
  readonly log: Log;
  readonly watch: EgressWatch;
  /** As whom connections to Vault are made. */
  readonly identify: (agent: Agent) => Agent;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;

async function file(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`a file that cannot be read (${(error as { code?: string }).code ?? 'unknown'})`);
  }
}

/**
 * Makes the reader of an environment's secrets. The session with Vault lasts from one reading to the next. Where Vault's own
 * variables do not hold together there is no store, and each reference is a problem, besides what `loadConfig` tells.
 */
export function createNodeSecrets(env: Env, parts: SecretParts): NodeSecrets {
  const vault = vaultOf(env, parts);
  const stores = new Map(vault ? [['vault', vault]] : []);
  const document = createDocumentReader(yamlToJson);
  return {
    resolve: () => resolveSources(env, { file, document, stores }),
    files: secretNames.flatMap((name) => env[`${name}_FILE`] ?? []),
    elsewhere: standElsewhere(env),
  };
}

/** One variable ahead of the whole configuration; null where it is not given or does not parse. */
function early<K extends SettingKey>(env: Env, key: K): string | null {
  const { name, kind, fallback } = variables[key] as Variable<unknown, unknown>;
  const text = env[name];
  if (text === undefined) return typeof fallback.production === 'string' ? fallback.production : null;
  return kind.schema.safeParse(text).success ? text : null;
}

function vaultOf(env: Env, parts: SecretParts) {
  const [address, method, role] = [early(env, 'vaultUrl'), early(env, 'vaultAuth'), early(env, 'vaultRole')];
  if (address === null || (method !== 'token' && role === null)) return null;
  const url = new URL(address);
  const target = egressTarget(url, variables.vaultUrl.name, new Set(early(env, 'egressAllow')?.split(/[\s,]+/)));
  const egress = createEgress(
    { allowedHosts: new Set([target.host]), deadlineMs: TIMEOUT_MS, maximumBodyBytes: MAXIMUM_ANSWER_BYTES },
    createNodeFetch(createNodeEgress([target], parts.watch.note, { identify: parts.identify })),
    parts.watch.note,
  );
  const tokenName = variables.vaultToken.name;
  const readToken = async () => {
    const path = env[`${tokenName}_FILE`];
    return path === undefined ? (env[tokenName] ?? '') : await file(path);
  };
  const jwtFile = early(env, 'vaultJwtFile') ?? '';
  return createVaultSecrets(
    {
      url: url.href.replace(/\/$/, ''),
      namespace: early(env, 'vaultNamespace'),
      auth:
        method === 'jwt' || method === 'kubernetes'
          ? { method, role: role ?? '', mount: early(env, 'vaultAuthMount') ?? method }
          : { method: 'token' },
      timeoutMs: TIMEOUT_MS,
    },
    {
      fetch: egress,
      stopwatch: parts.stopwatch,
      log: parts.log,
      readCredential: method === 'token' ? readToken : () => file(jwtFile),
    },
  );
}
