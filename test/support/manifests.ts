import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { ensurePackage, type Program, pathOf } from './debian.ts';

const run = promisify(execFile);
/** The folder of the manifests. */
export const KUBERNETES = fileURLToPath(new URL('../../infra/kubernetes', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));

/** kubectl with a kustomize that knows components and inline patches. */
export async function kustomizeProgram(): Promise<Program> {
  const program = await ensurePackage('kubectl', ['kubernetes-client']);
  if ('missing' in program) return program;
  const { stdout } = await run(program.path, ['version', '--client', '--output=json']);
  const version = String(JSON.parse(stdout).kustomizeVersion ?? 'none');
  return /^v(?:[5-9]|\d\d)\./.test(version) ? program : { missing: `kubectl brings kustomize ${version}, not v5` };
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: a manifest has any shape until its schema has been held against it
  readonly [member: string]: any;
}

/** Renders a kustomization as `kubectl apply -k` would. */
export async function renderText(kubectl: Program, folder: string): Promise<string> {
  const { stdout } = await run(pathOf(kubectl), ['kustomize', folder], { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** The same, read. */
export async function render(kubectl: Program, tools: Program, folder: string): Promise<Manifest[]> {
  return readManifests(tools, await renderText(kubectl, folder));
}

/** Reads the documents of a YAML stream; empty documents are left out. */
export function readManifests(tools: Program, text: string): Manifest[] {
  const { parseAllDocuments } = createRequire(join(pathOf(tools), 'package.json'))('yaml');
  return parseAllDocuments(text)
    .map((document: { toJS(): Manifest | null }) => document.toJS())
    .filter((manifest: Manifest | null) => manifest !== null);
}

/** Which package holds the schemas of an API group. Cilium's and Envoy Gateway's are in none; see below. */
const PACKAGES: Readonly<Record<string, string>> = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'traefik.io': '@kubernetes-models/traefik',
};
const WITHOUT_SCHEMA = new Set(['cilium.io/v2', 'gateway.envoyproxy.io/v1alpha1']);

function modelPath(tools: Program, { apiVersion, kind }: Manifest): string | null {
  if (WITHOUT_SCHEMA.has(apiVersion)) return null;
  const [group = ''] = apiVersion.split('/');
  const folder = `${pathOf(tools)}/node_modules/${PACKAGES[group] ?? 'kubernetes-models'}`;
  return `${folder}/${apiVersion}/${kind}`;
}

/**
 * What is wrong with manifests. Twice, because each sees what the other cannot: the validators know patterns, enums and
 * required members; the types of the same schemas refuse a member that does not exist.
 */
export async function schemaProblems(tools: Program, manifests: readonly Manifest[]): Promise<string[]> {
  const problems: string[] = [];
  const source: string[] = [];
  for (const [at, manifest] of manifests.entries()) {
    const path = modelPath(tools, manifest);
    if (path === null) continue;
    const name = `${manifest.kind}/${manifest.metadata.name}`;
    const model = (await import(pathToFileURL(`${path}.js`).href))[manifest.kind];
    try {
      new model(manifest).validate();
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
    source.push(`import type { I${manifest.kind} as T${at} } from ${JSON.stringify(`${path}.js`)};`);
    source.push(`export const m${at}: T${at} = ${JSON.stringify(manifest)}; // ${name}`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-manifests-'));
  try {
    const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, skipLibCheck: true, types: [] };
    await writeFile(join(folder, 'manifests.ts'), source.join('\n'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['manifests.ts'] }),
    );
    await run(TSC, ['-p', folder]).catch((error: { stdout?: string }) => {
      for (const line of String(error.stdout ?? error)
        .split('\n')
        .filter((one) => one.includes('error'))) {
        const [, row] = /\((\d+),/.exec(line) ?? [];
        problems.push(`${source[Number(row) - 1]?.split(' // ').at(-1) ?? ''}: ${line}`);
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return problems;
}

/** The first manifest of a kind whose name begins so. Throws where there is none. */
export function findManifest(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name.startsWith(name));
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** The settings: kustomize ends the name with a hash of them. */
export function settingsOf(manifests: readonly Manifest[]): Record<string, string> {
  const map = manifests.find(
    (one) => one.kind === 'ConfigMap' && /^tgefd-authorizer-[a-z0-9]{10}$/.test(one.metadata.name),
  );
  if (map === undefined) throw new Error('no settings');
  return map.data;
}

/** What the `restricted` profile of the Pod Security Standards forbids in a pod template. */
export function restrictedViolations(deployment: Manifest): string[] {
  const { spec } = deployment.spec.template;
  const allowed = [
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ];
  const violations: string[] = [];
  const demand = (holds: boolean, what: string) => void (holds || violations.push(what));
  demand(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, 'host namespaces');
  demand(spec.securityContext?.runAsNonRoot === true, 'runAsNonRoot');
  demand(spec.securityContext?.runAsUser !== 0, 'runAsUser');
  demand(spec.securityContext?.seccompProfile?.type === 'RuntimeDefault', 'seccompProfile');
  for (const volume of spec.volumes ?? []) {
    demand(
      Object.keys(volume).every((key) => key === 'name' || allowed.includes(key)),
      `volume ${volume.name}`,
    );
  }
  for (const { name, securityContext, ports } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    demand(securityContext?.allowPrivilegeEscalation === false, `${name}: allowPrivilegeEscalation`);
    demand(securityContext?.privileged !== true, `${name}: privileged`);
    demand(JSON.stringify(securityContext?.capabilities) === '{"drop":["ALL"]}', `${name}: capabilities`);
    demand(securityContext?.readOnlyRootFilesystem === true, `${name}: readOnlyRootFilesystem`);
    demand(
      (ports ?? []).every((port: { hostPort?: number }) => port.hostPort === undefined),
      `${name}: hostPort`,
    );
  }
  return violations;
}
