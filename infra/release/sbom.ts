import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * Prints the software bill of materials (CycloneDX 1.6) of what is deployed, out of the lock file. `npm sbom --omit=dev` leaves
 * out a package of the product that a development tool depends on too (npm 11.19: jose), so it does not serve.
 */

interface Locked {
  readonly name?: string;
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

type Packages = Readonly<Record<string, Locked>>;

/** The bill of materials of a lock file, as one JSON text with a stable order. Throws where a package has no integrity. */
export function billOfMaterials(lock: { readonly packages: Packages }): string {
  const { packages } = lock;
  const root = packages[''];
  if (root === undefined) throw new Error('the lock file has no root');
  const paths = deployed(root, packages);
  const components = paths.map((path) => componentOf(path, packages[path] as Locked));
  const product = purlOf(root.name ?? '', root.version);
  const dependencies = [
    { ref: product, dependsOn: neededBy('', root, packages).map((path) => refOf(path, packages)) },
    ...paths.map((path) => ({
      ref: refOf(path, packages),
      dependsOn: neededBy(path, packages[path] as Locked, packages).map((one) => refOf(one, packages)),
    })),
  ];
  const body = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'library', 'bom-ref': product, name: root.name, version: root.version, purl: product },
    },
    components,
    dependencies,
  };
  return `${JSON.stringify({ serialNumber: serialOf(JSON.stringify(body)), ...body }, null, 2)}\n`;
}

/** Every package that the product reaches, itself left out. What only builds or tests is not reached. */
function deployed(root: Locked, packages: Packages): string[] {
  const reached = new Set<string>();
  const waiting = neededBy('', root, packages);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    waiting.push(...neededBy(path, packages[path] as Locked, packages));
  }
  return [...reached].sort();
}

function componentOf(path: string, { version, integrity, license }: Locked) {
  const name = nameOf(path);
  const [algorithm, base64] = integrity?.split('-') ?? [];
  if (algorithm !== 'sha512' || base64 === undefined) throw new Error(`${path} has no SHA-512 in the lock file`);
  const purl = purlOf(name, version);
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    scope: 'required',
    hashes: [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }],
    ...(license !== undefined && { licenses: [{ license: { id: license } }] }),
  };
}

/** Where the dependencies of a package lie, found as Node finds them: in its own folder first, then in those above. The
 * bundles hold the product's peers too. */
function neededBy(path: string, one: Locked, packages: Packages): string[] {
  const names = Object.keys({ ...one.dependencies, ...(path === '' && one.peerDependencies) });
  return names.map((name) => {
    const found = foldersAbove(path).find((folder) => packages[`${folder}node_modules/${name}`] !== undefined);
    if (found === undefined) throw new Error(`${name}, which ${path || 'the product'} needs, is not in the lock file`);
    return `${found}node_modules/${name}`;
  });
}

/** `a/node_modules/b` → `a/node_modules/b/`, `a/`, and the root as an empty text. */
function foldersAbove(path: string): string[] {
  if (path === '') return [''];
  const above = path.lastIndexOf('node_modules/');
  return [`${path}/`, ...foldersAbove(path.slice(0, above).replace(/\/$/, ''))];
}

function refOf(path: string, packages: Packages): string {
  return purlOf(nameOf(path), packages[path]?.version ?? '');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** A UUID out of the content: the same lock file gives the same document. */
function serialOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}

if (import.meta.main) {
  const lock = JSON.parse(await readFile(join(import.meta.dirname, '../../package-lock.json'), 'utf8'));
  process.stdout.write(billOfMaterials(lock));
}
