import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainParts } from '../../archive/chain.ts';
import { createLayout } from '../../archive/layout.ts';
import { createVerifier, type ManifestJwk } from '../../archive/signature.ts';
import { signingJwks } from '../../compose/archive/archive.ts';
import type { Config } from '../../config/load.ts';
import { operatorAgents } from '../../platform/cli/agents.ts';
import { createFolderStore } from '../../platform/node/files/folder-store.ts';
import type { ObjectStore } from '../../storage/store.ts';
import { Failure, type Output, Unusable, Usage } from '../command.ts';
import { configOf } from '../config.ts';
import { counted } from '../line/text.ts';

/** Options that say where the archive is and whose signatures count. */
export const placeOptions = {
  folder: {
    type: 'string',
    value: 'FOLDER',
    means: 'A copy of the archive, in place of the bucket. With --keys it needs no configuration.',
  },
  prefix: { type: 'string', value: 'PREFIX', means: 'Prefix of the archive in the bucket or folder.' },
  keys: {
    type: 'string',
    value: 'FILE',
    means: 'Public keys that verify the archive, as `audit keys` prints them.',
  },
  'copies-folder': { type: 'string', value: 'FOLDER', means: 'A folder with the copies of anchors.' },
} as const;

/** Options that say which time is asked for. */
export const periodOptions = {
  from: {
    type: 'string',
    value: 'TIME',
    means:
      'Only what was since then: a date, an instant such as 2026-11-24T10:00:00Z, or an age such as 30m, 12h or 7d.',
  },
  to: { type: 'string', value: 'TIME', means: 'End of the period, in the same forms.' },
} as const;

export interface PlaceValues {
  readonly folder?: string | undefined;
  readonly prefix?: string | undefined;
  readonly keys?: string | undefined;
  readonly 'copies-folder'?: string | undefined;
}

/** An archive opened for reading. */
export interface OpenArchive extends ChainParts {
  readonly copies: ObjectStore | null;
  /** The keys that its signatures are held against. */
  readonly keys: readonly ManifestJwk[];
  /** Null where folder and keys were given, and no configuration was needed. */
  readonly config: Config | null;
}

/** The configuration as the archive reads it. */
export async function archiveConfig(console: Output): Promise<Config> {
  const place = { platform: 'cli', role: 'archive', upstreamBinding: false, bucketBinding: false } as const;
  return (await configOf(console, place)).config;
}

/**
 * Opens the archive that options and environment name: a folder that was copied from a bucket, with keys from a file, needs no
 * configuration at all.
 *
 * @throws Failure where something is missing.
 */
export async function openArchive(values: PlaceValues, console: Output): Promise<OpenArchive> {
  const isOffline = values.folder !== undefined && values.keys !== undefined;
  const config = isOffline ? null : await archiveConfig(console);
  const jwks = values.keys === undefined ? config && signingJwks(config) : await publicKeys(values.keys);
  if (jwks === null || jwks.length === 0)
    throw new Failure('not_configured', 'no key to verify with: give --keys, or TGEFD_AUDIT_SIGNING_KEY');
  const stores = values.folder === undefined && config !== null ? await bucketStores(config, console.env) : null;
  const prefix = values.prefix ?? config?.settings.auditPrefix ?? 'audit';
  const store = values.folder === undefined ? (stores?.store ?? null) : await folderWith(values.folder, prefix);
  if (store === null) throw new Failure('not_configured', 'no archive: give --folder, or TGEFD_AUDIT_BUCKET');
  const copiesFolder = values['copies-folder'];
  return {
    store,
    copies: copiesFolder === undefined ? (stores?.copies ?? null) : createFolderStore(copiesFolder),
    layout: createLayout(prefix),
    verifier: verifierOf(jwks),
    keys: jwks,
    config,
  };
}

/** A folder that holds an archive. In one that does not, nothing would be found, and `query --none` content with a slip of the pen. */
async function folderWith(folder: string, prefix: string): Promise<ObjectStore> {
  const found = await stat(join(folder, prefix)).catch(() => null);
  if (!found?.isDirectory()) throw new Unusable(`--folder: there is no ${prefix}/ in ${folder}`);
  return createFolderStore(folder);
}

/** The S3 SDK costs its start-up only where a bucket is used. */
async function bucketStores({ settings }: Config, env: Output['env']) {
  const { s3Stores } = await import('../../platform/cloud/object-stores.ts');
  return s3Stores(settings, { clock: () => Date.now() }, operatorAgents(env));
}

function verifierOf(jwks: readonly ManifestJwk[]) {
  try {
    return createVerifier(jwks);
  } catch (error) {
    throw error instanceof RangeError ? new Unusable(`--keys: ${error.message}`) : error;
  }
}

async function publicKeys(path: string): Promise<readonly ManifestJwk[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Unusable(`--keys: ${path} cannot be read`);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Unusable(`--keys: ${path} is not JSON`);
  }
  const keys = typeof parsed === 'object' && parsed !== null && 'keys' in parsed ? parsed.keys : [parsed];
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'object' && key !== null && 'kty' in key)) {
    throw new Unusable(`--keys: ${path} is neither a JWK nor a key set`);
  }
  return keys;
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** An instant from an option: RFC 3339, a date, or how long ago (`30m`, `12h`, `7d`). Null when not given. */
export function instant(name: string, text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null;
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined && unit !== undefined) return nowMs - Number(amount) * (UNITS_MS[unit] ?? 0);
  const parsed = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(parsed))
    throw new Usage(`--${name} is a date, an instant like 2026-11-24T10:00:00Z, or an age like 7d`);
  return parsed;
}

/** Shows how far a search of the archive is. */
export function progressTo(console: Output, noun: string, did: string): (count: number) => void {
  return (count) => console.progress(`${counted(count, noun)} ${did}`);
}

/** What a line says as JSON; null where it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
