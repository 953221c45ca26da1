import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identityFields } from '../../infra/aws/gateway-responses.ts';
import { knownNames } from '../../lib/config/load.ts';
import { secretNames } from '../../lib/config/sources.ts';
import { s3Lifecycle } from '../../lib/storage/lifecycle.ts';
import { type Program, pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { toolFolder } from '../support/tool-folder.ts';

/*
 * The Terraform module, read by HashiCorp's own HCL parser (WebAssembly, from npm). Where the machine has the terraform
 * program, it checks the form of the files and the conditions of the variables. Both need no provider. That the AWS provider
 * takes each argument is not checked here.
 */

const MODULE = join(import.meta.dirname, '../../infra/terraform/aws');
const tools = await toolFolder();
const run = promisify(execFile);
/** Neither a configuration of the user, nor a question to HashiCorp whether there is a newer version. */
const env = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
const terraform: Program = await run('terraform', ['version'], { env }).then(
  () => ({ path: 'terraform' }),
  () => ({ missing: 'this machine has no terraform program' }),
);

type Block = Record<string, unknown>;
type Blocks = Record<string, Record<string, Block[]>>;

describeWith([tools], 'the Terraform module', () => {
  const texts = new Map<string, string>();
  const parsed = { resource: {}, data: {}, variable: {}, output: {}, locals: {} } as {
    resource: Blocks;
    data: Blocks;
    variable: Record<string, Block[]>;
    output: Record<string, Block[]>;
    locals: Block;
  };

  beforeAll(async () => {
    const { parse } = createRequire(join(pathOf(tools), 'package.json'))('@cdktf/hcl2json');
    for (const name of await readdir(MODULE)) {
      if (!name.endsWith('.tf')) continue;
      const text = await readFile(join(MODULE, name), 'utf8');
      texts.set(name, text);
      const found = await parse(name, text);
      for (const kind of ['resource', 'data'] as const) {
        for (const [type, blocks] of Object.entries((found[kind] ?? {}) as Blocks)) {
          parsed[kind][type] = { ...parsed[kind][type], ...blocks };
        }
      }
      Object.assign(parsed.variable, found.variable);
      Object.assign(parsed.output, found.output);
      for (const locals of (found.locals ?? []) as Block[]) Object.assign(parsed.locals, locals);
    }
  }, 60_000);
  const resource = (type: string, name: string) => parsed.resource[type]?.[name]?.[0] as Block;
  /** All of the module's code, comments left out. */
  const code = () => [...texts.values()].join('\n').replaceAll(/^\s*#.*$/gm, '');

  test('is HCL, in the five files of a module', () => {
    expect([...texts.keys()].sort()).toEqual([
      'api.tf',
      'bucket.tf',
      'main.tf',
      'outputs.tf',
      'variables.tf',
      'versions.tf',
    ]);
    expect(Object.keys(parsed.resource).length).toBeGreaterThan(15);
  });

  test('the parser sees a fault', async () => {
    const { parse } = createRequire(join(pathOf(tools), 'package.json'))('@cdktf/hcl2json');
    await expect(parse('x.tf', 'resource "a" "b" {')).rejects.toThrow();
  });

  test('refers to nothing that it does not declare, and declares nothing that it does not use', () => {
    const used = (pattern: RegExp) => new Set([...code().matchAll(pattern)].map(([, name = '']) => name));
    expect(used(/\bvar\.(\w+)/g)).toEqual(new Set(Object.keys(parsed.variable)));
    expect(used(/\blocal\.(\w+)/g)).toEqual(new Set(Object.keys(parsed.locals)));
    const declared = (blocks: Blocks) =>
      Object.entries(blocks).flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`));
    const references = [...code().matchAll(/(?<!["\w.])(data\.)?(aws_\w+|archive_file)\.(\w+)/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, data, type, name] of references) {
      expect(declared(data ? parsed.data : parsed.resource), `${data ?? ''}${type}.${name}`).toContain(
        `${type}.${name}`,
      );
    }
    const referenced = new Set(references.filter(([, data]) => data).map(([, , type, name]) => `${type}.${name}`));
    expect(referenced).toEqual(new Set(declared(parsed.data)));
  });

  test('explains every variable and output', () => {
    for (const [name, [block]] of [...Object.entries(parsed.variable), ...Object.entries(parsed.output)]) {
      expect(String(block?.description).length, name).toBeGreaterThan(20);
    }
  });

  test('gives the functions variables that the product knows, and secrets by reference only', () => {
    const names = [...code().matchAll(/^\s*(TGEFD_[A-Z0-9_]+)\s*=/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(7);
    for (const name of names) {
      expect(knownNames.has(name), name).toBe(true);
      expect(secretNames, name).not.toContain(name);
    }
    for (const secret of parsed.locals.secrets ? ['redis_token', 'audit_pseudonym_key', 'audit_signing_key'] : []) {
      expect(secretNames).toContain(`TGEFD_${secret.toUpperCase()}`);
      expect(String(parsed.locals.secrets)).toContain(`"${secret}"`);
    }
    const [validation] = (parsed.variable.environment?.[0]?.validation ?? []) as { condition: string }[];
    const [, pattern = ''] = /regex\("([^"]+)"/.exec(validation?.condition ?? '') ?? [];
    for (const name of secretNames) expect(new RegExp(pattern).test(name), name).toBe(true);
  });

  test('names no partition: neither in an ARN nor in a host name of a region', () => {
    const settings = code().replaceAll(/^\s*description\s*=.*$/gm, '');
    expect(settings).toContain('arn:${local.partition}:');
    expect(settings).not.toMatch(/arn:aws/);
    expect(settings).toContain('"logs.${local.region}.${data.aws_partition.current.dns_suffix}"');
    expect(settings).not.toMatch(/region\}\.amazonaws/);
  });

  test('keeps the tiers of the product', () => {
    const [tiers, markers] = s3Lifecycle({ hotDays: 7, warmDays: 30, coldDays: 180 }, 'audit/');
    const rules = resource('aws_s3_bucket_lifecycle_configuration', 'audit').rule as Block[];
    expect(rules.map(({ id }) => id)).toEqual([tiers?.ID, markers?.ID]);
    expect(((rules[0]?.transition ?? []) as Block[]).map(({ storage_class }) => storage_class)).toEqual([
      '${var.audit_days.hot < 30 ? "INTELLIGENT_TIERING" : "STANDARD_IA"}',
      tiers?.Transitions?.[1]?.StorageClass,
    ]);
    expect(((rules[0]?.noncurrent_version_expiration ?? []) as Block[])[0]?.noncurrent_days).toBe(
      tiers?.NoncurrentVersionExpiration?.NoncurrentDays,
    );
    expect(parsed.variable.audit_days?.[0]?.default).toEqual({ hot: 7, warm: 30, cold: 180 });
  });

  test('locks the bucket, closes it, and lets only the archive write batches', () => {
    expect(resource('aws_s3_bucket', 'audit').object_lock_enabled).toBe(true);
    const access = resource('aws_s3_bucket_public_access_block', 'audit');
    for (const name of ['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets']) {
      expect(access[name], name).toBe(true);
    }
    const statements = (parsed.data.aws_iam_policy_document?.audit?.[0]?.statement ?? []) as {
      sid: string;
      effect: string;
    }[];
    expect(statements.map(({ sid, effect }) => [sid, effect])).toEqual([
      ['OnlyTls', 'Deny'],
      ['OnlyTls12', 'Deny'],
      ['OnlyTheArchiveWrites', 'Deny'],
      ['NobodyElseWrites', 'Deny'],
    ]);
  });

  test('lets functions do what those of the CDK stack may, and nothing on every resource', () => {
    const text = /data "aws_iam_policy_document" "function" \{([\s\S]*?)\n\}\n/.exec(code())?.[1] ?? '';
    const actions = new Set([...text.matchAll(/"((?:s3|kms|logs|secretsmanager):\w+)"/g)].map(([, action]) => action));
    expect([...actions].sort()).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:DeleteObject',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
    expect(text).not.toContain('"*"');
  });

  test('asks by the payload that fits the answer, and keeps simple answers for each route', () => {
    const http = resource('aws_apigatewayv2_authorizer', 'http');
    expect(http.authorizer_payload_format_version).toBe('${local.is_simple ? "2.0" : "1.0"}');
    expect(String(http.identity_sources)).toContain('$context.routeKey');
    expect(parsed.variable.authorizer_ttl_seconds?.[0]?.default).toBe(0);
    const [validation] = (parsed.variable.api?.[0]?.validation ?? []) as { condition: string }[];
    expect(validation?.condition).toContain('["http/simple", "http/iam", "rest/request", "rest/token"]');
  });

  test('answers the metadata of the protected resource on both kinds of API, without credentials', () => {
    expect(resource('aws_apigatewayv2_route', 'metadata').authorization_type).toBe('NONE');
    const method = resource('aws_api_gateway_method', 'metadata');
    expect(method).toMatchObject({ http_method: 'GET', authorization: 'NONE', for_each: '${local.rest_metadata}' });
    const parts = ['well_known', 'metadata', 'metadata_behind'].map((name) =>
      resource('aws_api_gateway_resource', name),
    );
    expect(parts.map(({ path_part }) => path_part)).toEqual(['.well-known', 'oauth-protected-resource', '{proxy+}']);
    const parents = parts.map(({ parent_id }) => String(parent_id).replace('${', '').replace('}', ''));
    expect(parents).toEqual([
      'var.api.root_resource_id',
      'aws_api_gateway_resource.well_known[0].id',
      'aws_api_gateway_resource.metadata[0].id',
    ]);
    const integration = resource('aws_api_gateway_integration', 'metadata');
    expect(integration).toMatchObject({ type: 'AWS_PROXY', integration_http_method: 'POST' });
    // What only the API itself knows decides about no count: Terraform could not plan it.
    expect(String(parsed.locals.has_rest_metadata)).not.toContain('root_resource_id');
  });

  test('hands over the identity fields that the CDK stack hands over', () => {
    const given = parsed.locals.fixed_identity as Record<string, string>;
    expect(Object.fromEntries(Object.entries(given).map(([name, one]) => [name, `context.authorizer.${one}`]))).toEqual(
      identityFields,
    );
    // Each forwarded claim replaces a field of that name too.
    expect(parsed.locals.identity).toBe('${merge(local.claims, local.fixed_identity)}');
  });
});

describeWith([terraform], 'the terraform program', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tgefd-terraform-'));
    await copyFile(join(MODULE, 'variables.tf'), join(folder, 'variables.tf'));
    await run('terraform', ['init', '-backend=false', '-input=false'], { cwd: folder, env });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const given = {
    name: 'orders-authorizer',
    bundles: '/dist',
    secrets_extension_arn: 'arn:aws:lambda:eu-central-1:123456789012:layer:Extension:1',
    api: { kind: 'http', response: 'simple', id: 'a1b2c3', execution_arn: 'arn:aws:execute-api:eu-central-1:1:a1b2c3' },
    environment: { TGEFD_AUTH_MODE: 'jwt' },
  };
  const plan = async (variables: object) => {
    await writeFile(join(folder, 'given.tfvars.json'), JSON.stringify({ ...given, ...variables }));
    return run('terraform', ['plan', '-no-color', '-input=false', '-var-file=given.tfvars.json'], { cwd: folder, env });
  };

  test('finds every file formatted, and the variables valid', async () => {
    await run('terraform', ['fmt', '-check', '-recursive', MODULE], { env });
    await run('terraform', ['validate'], { cwd: folder, env });
    expect((await plan({})).stdout).toContain('No changes.');
  });

  test.each([
    ['name', '1'],
    ['api', { ...given.api, response: 'request' }],
    ['metadata_methods', true, { api: { ...given.api, kind: 'rest', response: 'token' } }],
    ['environment', { TGEFD_REDIS_TOKEN: 'secret' }],
    ['architecture', 'riscv'],
    ['authorizer_ttl_seconds', 4000],
    ['audit_lock', 'NONE'],
    ['audit_days', { hot: 30, warm: 7, cold: 180 }],
  ])('refuses a wrong %s', async (name: string, value: unknown, others: object = {}) => {
    await expect(plan({ ...others, [name]: value })).rejects.toMatchObject({
      stderr: expect.stringMatching(new RegExp(`var\\.${name}[^]*checked by the validation rule`)),
    });
  });
});
