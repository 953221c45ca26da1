import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { loadConfig } from '../../lib/config/load.ts';
import type { Place } from '../../lib/config/rules/check.ts';
import { secretNames } from '../../lib/config/sources.ts';

/*
 * Prints the settings of a file, and a stand-in of the right shape for each secret that the configuration then still lacks:
 * `stand-ins.ts FILE PLATFORM ROLE`. A check of settings needs no secret, and a build machine should have none.
 */

const [path = '', platform = 'node', role = 'gateway'] = process.argv.slice(2);
const settings = parseEnv(await readFile(path, 'utf8')) as Record<string, string>;
const key = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
const standIn = (name: string) =>
  /_(SIGNING|ASSERTION)_KEY$/.test(name) ? key : 'stands-for-a-secret-of-at-least-32-bytes';
const onWorker = platform === 'worker';
const place = { platform, role, upstreamBinding: onWorker, bucketBinding: onWorker } as Place;
const loaded = loadConfig(settings, place);
const lacking = loaded.ok ? [] : loaded.problems.map(({ variable }) => variable);
for (const [name, value] of Object.entries(settings)) {
  if (value.includes("'")) throw new Error(`${name}: a value without a single quote`);
  // A path to a mounted secret leads nowhere on this machine.
  const secret = name.replace(/_FILE$/, '');
  if (secret !== name && secretNames.includes(secret)) print(secret, standIn(secret));
  else print(name, value);
}
for (const name of new Set(lacking)) if (secretNames.includes(name) && !(name in settings)) print(name, standIn(name));

function print(name: string, value: string): void {
  console.log(`${name}='${value}'`);
}
