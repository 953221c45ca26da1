import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Places that repeat the version of package.json: a file, and what stands before the version there. */
const PLACES: readonly (readonly [file: string, before: RegExp])[] = [
  ['infra/helm/tgefd-authorizer/Chart.yaml', /(?<=^version: )\S+$/gm],
  ['infra/helm/tgefd-authorizer/Chart.yaml', /(?<=^appVersion: )\S+$/gm],
  ['infra/kubernetes/base/kustomization.yaml', /(?<=^ {4}newTag: )\S+$/gm],
  ['infra/kubernetes/README.md', /(?<=\?ref=v)\d+\.\d+\.\d+/g],
  ['infra/aws/package.json', /(?<=^ {2}"version": ")[^"]+/gm],
  ['infra/terraform/aws/README.md', /(?<=\?ref=v)\d+\.\d+\.\d+/g],
  ['docs/guides/aws-own-api.md', /(?<=tgefd-authorizer-aws-)\d+\.\d+\.\d+/g],
  ['docs/guides/containers.md', /(?<=\/tgefd-authorizer:)\d+\.\d+\.\d+/g],
  ['docs/guides/upgrade.md', /(?<=\/tgefd-authorizer:)\d+\.\d+\.\d+/g],
  ['docs/guides/deploy-cloudflare.md', /(?<=^It prints `)\d+\.\d+\.\d+(?=`\.$)/gm],
];

/**
 * Writes the version of package.json wherever it is repeated, or with `check` only looks. Gives a line for each place that
 * differed. Throws where a place no longer holds any version, so that none is forgotten.
 */
export async function setVersions(check: boolean): Promise<string[]> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const differing: string[] = [];
  for (const [file, pattern] of PLACES) {
    const path = join(ROOT, file);
    const text = await readFile(path, 'utf8');
    const found = text.match(pattern);
    if (found === null) throw new Error(`${file} holds no version`);
    if (found.every((one) => one === version)) continue;
    differing.push(`${file}: ${found.join(', ')}`);
    if (!check) await writeFile(path, text.replace(pattern, version));
  }
  return differing;
}

if (import.meta.main) for (const line of await setVersions(false)) console.log(line);
