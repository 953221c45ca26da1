import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

/* The package as somebody else's app sees it: packed, unpacked, type-checked in strict mode, synthesised. */

const FOLDER = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8'));
const TARBALL = `tgefd-authorizer-aws-${version}.tgz`;
const APP = `
import { App, Stack } from 'aws-cdk-lib';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { EdgeAuthorizer, type EdgeAuthorizerProps } from 'tgefd-authorizer-aws';

const stack = new Stack(new App({ outdir: process.env.OUT! }), 'orders');
const props: EdgeAuthorizerProps = {
  api: { kind: 'http', response: 'simple' },
  policyFile: 'policy.json',
  environment: {
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWT_ISSUER: 'https://issuer.example/',
    TGEFD_JWT_AUDIENCE: 'https://api.example',
    TGEFD_JWKS_URL: 'https://issuer.example/jwks.json',
    TGEFD_REDIS_URL: 'https://example.upstash.io',
  },
};
const edge = new EdgeAuthorizer(stack, 'Edge', props);
const api = new HttpApi(stack, 'Api');
for (const { method, path } of edge.routes)
  api.addRoutes({
    path,
    methods: [method as HttpMethod],
    authorizer: edge.httpAuthorizer,
    integration: new HttpUrlIntegration(method + path, 'https://orders.example.com' + path, { parameterMapping: edge.identityMapping }),
  });
(stack.node.root as App).synth();
`;

let app: string;
before(() => {
  app = mkdtempSync(join(tmpdir(), 'tgefd-aws-user-'));
  execFileSync('node', ['build.ts'], { cwd: FOLDER, stdio: 'pipe' });
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', app], { cwd: FOLDER });
  execFileSync('tar', ['-xzf', TARBALL], { cwd: app });
  mkdirSync(join(app, 'node_modules'));
  cpSync(join(app, 'package'), join(app, 'node_modules/tgefd-authorizer-aws'), { recursive: true });
  for (const name of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(join(FOLDER, 'node_modules', name), join(app, 'node_modules', name));
  }
  mkdirSync(join(app, 'node_modules/@types'));
  symlinkSync(join(FOLDER, '../../node_modules/@types/node'), join(app, 'node_modules/@types/node'));
  cpSync(join(FOLDER, 'test/policy.json'), join(app, 'policy.json'));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  writeFileSync(join(app, 'app.ts'), APP);
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2024',
    skipLibCheck: true,
    types: ['node'],
  };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
});
after(() => rmSync(app, { recursive: true, force: true }));

test('the packed package holds code, types and what the functions run, and nothing else', () => {
  const files = execFileSync('tar', ['-tzf', TARBALL], { cwd: app }).toString().split('\n');
  for (const name of ['dist/index.js', 'dist/functions/lambda-authorizer.mjs', 'dist/functions/lambda-archive.mjs']) {
    assert.ok(files.includes(`package/${name}`), name);
  }
  const others = files.filter((name) => name !== '' && !/^package\/(package\.json|dist\/)/.test(name));
  assert.deepEqual(others, []);
  assert.deepEqual(
    files.filter((name) => /\.ts$/.test(name) && !/\.d\.ts$/.test(name)),
    [],
  );
});

test('an app compiles against its types in strict mode, and a kind without an answer does not', () => {
  const compile = () => execFileSync('tsc', ['-p', app], { stdio: 'pipe' });
  compile();
  writeFileSync(join(app, 'app.ts'), APP.replace(", response: 'simple'", ''));
  assert.throws(compile, (error: { stdout?: Buffer }) => /response/.test(String(error.stdout)));
  writeFileSync(join(app, 'app.ts'), APP);
});

test('an app is synthesised with the functions of the package and the user’s policy beside them', () => {
  const env = { ...process.env, OUT: join(app, 'cdk.out') };
  execFileSync('node', ['app.ts'], { cwd: app, env, stdio: 'pipe' });
  const assets = execFileSync('sh', ['-c', 'ls cdk.out/asset.*/'], { cwd: app }).toString();
  assert.match(assets, /lambda-authorizer\.mjs\npolicy\.json/);
});
