import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import product from '../../../package.json' with { type: 'json' };
import { freePort, startChild } from '../../support/child.ts';
import { describeWith } from '../../support/describe-with.ts';
import type { StartedDoor } from '../../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../../support/issuer.ts';
import { acceptsConnections } from '../../support/listening.ts';
import { toolFolder } from '../../support/tool-folder.ts';
import { startWorkerDoor } from '../../support/worker-door.ts';
import { WRANGLER_ALONE } from '../../support/wrangler-alone.ts';
import { installPackage } from './installed.ts';

/* The package as a stranger gets it: packed, installed in an empty folder, imported, compiled and run. */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../../..');
const FACES = Object.keys(product.exports).filter((face) => face !== './package.json');
const installation = await installPackage();
const tools = await toolFolder();
const { folder, packageFolder, tarball } =
  'installed' in installation ? installation.installed : { folder: '', packageFolder: '', tarball: '' };
afterAll(async () => {
  if ('installed' in installation) await installation.installed.remove();
});

/** Every module that a face reaches, and every package or module of the runtime that these import. */
async function graphOf(face: string) {
  const modules = new Set<string>();
  const outside = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (modules.has(path)) return;
    modules.add(path);
    const text = await readFile(path, 'utf8');
    for (const [, , name = ''] of text.matchAll(/(?:\bfrom|\bimport\(|\bimport) ?(["'])([^"'\n]+)\1/g)) {
      if (name.startsWith('.')) await visit(join(dirname(path), name));
      else outside.add(name);
    }
  };
  await visit(join(packageFolder, 'dist/lib', `${face === '.' ? 'index' : face.slice(2)}.js`));
  return { modules, outside };
}

/** What package.json says of other packages. */
interface Manifest {
  readonly dependencies?: object;
  readonly peerDependencies?: object;
  readonly optionalDependencies?: object;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

describeWith([installation], 'the packed package', () => {
  test('holds the command, the library and the Python clients, and nothing else', async () => {
    const files = (await readdir(packageFolder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(packageFolder.length + 1));
    const expected =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/(cli\.js|lib\/.+\.(js|d\.ts))|docs\/audit_record\.schema\.json|infra\/clients\/python\/.+)$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
    expect((await stat(tarball)).size).toBeLessThan(1024 * 1024);
    const { dependencies = {}, optionalDependencies = {} } = product as Manifest;
    expect(Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => /^node(-|$)/.test(name))).toEqual(
      [],
    );
  });

  test.each(FACES)('declares every package that %s imports', async (face) => {
    const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = product as Manifest;
    const declared = { ...dependencies, ...peerDependencies, ...optionalDependencies };
    const { outside } = await graphOf(face);
    const packages = [...outside].filter((name) => !isBuiltin(name) && !name.startsWith('cloudflare:')).map(packageOf);
    expect(packages.filter((name) => !Object.hasOwn(declared, name))).toEqual([]);
  });

  test.each(['.', './hono', './workers', './upstream'])('reaches no module of Node from %s', async (face) => {
    const { outside } = await graphOf(face);
    expect([...outside].filter((name) => isBuiltin(name))).toEqual([]);
  });

  test('has no effect when it is imported: prints nothing, opens nothing, and the process ends', async () => {
    const script = `
      for (const face of ${JSON.stringify(FACES)}) await import('tgefd-authorizer' + face.slice(1));
      const open = process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY|FS)/.test(name));
      if (open.length > 0) console.log(open.join());
    `;
    const ended = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '' },
      timeout: 20_000,
    });
    expect(ended).toMatchObject({ stdout: '', stderr: '' });
  });

  test.each(['NodeNext', 'Bundler'])(
    'compiles a strict user, every declaration checked, by %s',
    async (moduleResolution) => {
      const compilerOptions = {
        target: 'ES2024',
        lib: ['ES2024', 'DOM', 'DOM.Iterable'],
        types: [],
        module: moduleResolution === 'NodeNext' ? 'NodeNext' : 'ESNext',
        moduleResolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
      };
      const config = join(folder, `tsconfig.${moduleResolution}.json`);
      await writeFile(config, JSON.stringify({ compilerOptions, files: ['app.ts', 'every-face.ts'] }));
      const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
      const { stdout } = await run(process.execPath, [compiler, '-p', config], { cwd: folder }).catch((error) => error);
      expect(stdout).toBe('');
    },
    120_000,
  );

  test('documents every function and class of its faces with an example', async () => {
    const types = join(packageFolder, 'dist/lib/types');
    const names = new Set<string>();
    for (const face of FACES) {
      const text = await readFile(join(types, `${face === '.' ? 'index' : face.slice(2)}.d.ts`), 'utf8');
      for (const [, list = ''] of text.matchAll(/export \{([^}]*)\}/g))
        for (const name of list.split(',')) if (/^\s*\w+\s*$/.test(name)) names.add(name.trim());
    }
    const files = (await readdir(types, { recursive: true })).filter((file) => file.endsWith('.d.ts'));
    const all = (await Promise.all(files.map((file) => readFile(join(types, file), 'utf8')))).join('\n');
    const undocumented = [...names].filter((name) => {
      if (new RegExp(`export declare const ${name}\\b`).test(all)) return false;
      const declaration = new RegExp(
        `/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*export declare (?:function|class) ${name}\\b`,
      ).exec(all);
      return !declaration?.[1]?.includes('@example');
    });
    expect(undocumented).toEqual([]);
  });
});

describeWith([installation, tools], 'the packed package before its linters', () => {
  const tool = (name: string) => join('path' in tools ? tools.path : '', 'node_modules/.bin', name);

  test('publint finds nothing', async () => {
    const { stdout } = await run(tool('publint'), [tarball, '--strict'], { timeout: 120_000 });
    expect(stdout).toContain('All good!');
  }, 120_000);

  test('are the types wrong? finds nothing for ESM and for bundlers', async () => {
    const { stdout } = await run(tool('attw'), [tarball, '--profile', 'esm-only', '--format', 'json'], {
      timeout: 120_000,
    });
    const { analysis } = JSON.parse(stdout) as { analysis: { problems: readonly { resolutionKind?: string }[] } };
    const resolutions = new Set(['node16-esm', 'bundler']);
    expect(analysis.problems.filter(({ resolutionKind }) => resolutions.has(resolutionKind ?? 'node16-esm'))).toEqual(
      [],
    );
  }, 120_000);
});

describeWith([installation], 'a Hono application of ten lines, with a real issuer', () => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer?.stop());
  const environment = (): Record<string, string> => ({
    ...jwtEnvironment(issuer),
    TGEFD_JWT_ALLOWED_ALGS: 'ES256',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_PRESET: 'none',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_RATE_LIMIT_PER_MINUTE: '3',
    TGEFD_ENDPOINTS: JSON.stringify([
      { method: 'GET', path: '/orders', scope: 'orders:list', budget: 'read' },
      { method: 'GET', path: '/orders/{id}', scope: null, budget: 'read' },
    ]),
  });

  const runtimes: readonly { readonly name: string; readonly start: () => Promise<StartedDoor> }[] = [
    {
      name: 'on Node',
      async start() {
        const port = await freePort();
        const child = await startChild({
          command: process.execPath,
          args: [join(folder, 'server.ts')],
          cwd: folder,
          env: { PORT: `${port}`, ...environment() },
          ready: () => acceptsConnections(port),
        });
        return { url: `http://127.0.0.1:${port}`, port, ...child };
      },
    },
    {
      name: 'on workerd, bundled by wrangler',
      async start() {
        const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js');
        const options = ['--dry-run', '--outdir', 'bundled', '--name', 'a-user', '--compatibility-date', '2026-10-01'];
        await run(process.execPath, [wrangler, 'deploy', 'app.ts', ...options], {
          cwd: folder,
          env: { ...WRANGLER_ALONE, PATH: process.env.PATH ?? '', HOME: folder },
          timeout: 120_000,
        });
        return startWorkerDoor(environment(), { bundle: join(folder, 'bundled/app.js') });
      },
    },
  ];

  describe.each(runtimes)('$name', ({ start }) => {
    let door: StartedDoor;
    beforeAll(async () => {
      door = await start();
    });
    afterAll(() => door?.stop());
    const token = (scope: string) => issuer.token({ algorithm: 'ES256', subject: `alice ${scope}`, scope });
    const ask = async (path: string, credential?: string) =>
      fetch(`${door.url}${path}`, credential ? { headers: { authorization: `Bearer ${credential}` } } : {});

    test('answers 401 to nobody, and to a token that does not hold', async () => {
      const nobody = await ask('/orders');
      expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="tgefd"']);
      const token = await issuer.token({ algorithm: 'ES256', audience: 'urn:another' });
      expect(await (await ask('/orders', token)).json()).toMatchObject({ status: 401, code: 'credentials_invalid' });
    });

    test('answers 200 with the caller in the application, and the budget in the fields', async () => {
      const answer = await ask('/orders', await token('orders:list'));
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        subject: 'alice orders:list',
        issuer: issuer.url,
        scopes: ['orders:list'],
        method: 'jwt',
      });
      expect(answer.headers.get('ratelimit-policy')).toContain('q=3');
      expect(answer.headers.get('x-request-id')).toMatch(/^\w{26}$/);
    });

    test('answers 403 without the scope of the row, and without the scope of the route', async () => {
      const credential = await token('orders:write');
      for (const [path, scope] of [
        ['/orders', 'orders:list'],
        ['/orders/7', 'orders:read'],
      ] as const) {
        const answer = await ask(path, credential);
        expect(await answer.json(), path).toMatchObject({ status: 403, code: 'insufficient_scope', scope });
      }
      expect((await ask('/orders/7', await token('orders:read'))).status).toBe(200);
    });

    test('answers 429 once the budget is spent', async () => {
      const credential = await token('orders:read orders:list');
      const statuses: number[] = [];
      for (let time = 0; time < 4; time++) statuses.push((await ask('/orders', credential)).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
      const answer = await ask('/orders', credential);
      expect([answer.headers.get('retry-after'), await answer.json()]).toEqual([
        expect.stringMatching(/^\d+$/),
        expect.objectContaining({ code: 'rate_limited' }),
      ]);
    });

    test('denies what no row names, and a path that could mean two things', async () => {
      const credential = await token('orders:list');
      expect((await ask('/nothing', credential)).status).toBe(404);
      expect((await ask('/orders%2f7', credential)).status).toBe(400);
    });
  });
});
