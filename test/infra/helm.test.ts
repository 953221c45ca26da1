import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { secretNames } from '../../lib/config/sources.ts';
import { describeWith } from '../support/describe-with.ts';
import { CHART, helm, helmProgram, renderChart } from '../support/helm.ts';
import {
  findManifest,
  KUBERNETES,
  kustomizeProgram,
  type Manifest,
  render,
  restrictedViolations,
  schemaProblems,
} from '../support/manifests.ts';
import { toolFolder } from '../support/tool-folder.ts';

/* The Helm chart, rendered by helm, held against schemas, against the kustomize base and against the product. */

const [tools, kubectl] = await Promise.all([toolFolder(), kustomizeProgram()]);
const program = await helmProgram(tools);
const CASES = ['base', 'plain', 'dual-stack'] as const;
const valuesOf = (name: string) => ['--values', join(CHART, `ci/${name}-values.yaml`)];
const OPERATORS = ['cert-manager.io', 'external-secrets.io', 'monitoring.coreos.com'];

/** Kustomize ends the name of the settings with their hash. */
const HASHED = /^(tgefd-authorizer)-[a-z0-9]{10}$/;

/** A manifest without what the two tools must differ in: labels, release annotations, the hash in a name, defaults. */
function meaning(manifest: Manifest): unknown {
  const text = JSON.stringify(manifest, (key, value) => {
    if (key === 'labels' || key === 'annotations') return undefined;
    if (value && typeof value === 'object' && 'app.kubernetes.io/instance' in value) {
      const { 'app.kubernetes.io/instance': _, ...rest } = value;
      return rest;
    }
    if (key === 'type' && value === 'ClusterIP') return undefined;
    if (key === 'env') return [...value].sort((a, b) => (a.name < b.name ? -1 : 1));
    // In the base this list follows the pod, in the chart the variables: order has no meaning in either.
    if (key === 'data' && Array.isArray(value)) return [...value].sort((a, b) => (a.secretKey < b.secretKey ? -1 : 1));
    return value;
  });
  return JSON.parse(text.replaceAll(/"tgefd-authorizer-[a-z0-9]{10}"/g, '"tgefd-authorizer"'));
}

const byName = (manifests: readonly Manifest[]) =>
  Object.fromEntries(
    manifests
      .filter(({ kind, metadata }) => kind !== 'Namespace' && !metadata.name.endsWith('-check-config'))
      .map((one) => [`${one.kind} ${one.metadata.name.replace(HASHED, '$1')}`, meaning(one)]),
  );

describeWith([tools, kubectl, program], 'the Helm chart', () => {
  const rendered = new Map<string, Manifest[]>();
  beforeAll(async () => {
    for (const name of CASES) rendered.set(name, await renderChart(program, tools, valuesOf(name)));
  });
  const manifestsOf = (name: string) => rendered.get(name) ?? [];
  const deploymentOf = (name: string) => findManifest(manifestsOf(name), 'Deployment', 'tgefd-authorizer').spec;

  test.each(CASES)('passes helm lint with the %s values', async (name) => {
    expect(await helm(program, ['lint', CHART, '--strict', ...valuesOf(name)])).toMatchObject({ ok: true });
  });

  test.each(CASES)(
    'renders manifests that fit the schemas with the %s values',
    async (name) => {
      expect(await schemaProblems(tools, manifestsOf(name))).toEqual([]);
    },
    60_000,
  );

  test('has the version of the package', async () => {
    const { version } = JSON.parse(await readFile(join(CHART, '../../../package.json'), 'utf8'));
    const chart = await readFile(join(CHART, 'Chart.yaml'), 'utf8');
    expect(chart).toContain(`\nversion: ${version}\n`);
    expect(chart).toContain(`\nappVersion: ${version}\n`);
  });

  test('means what the kustomize base means', async () => {
    const base = await render(kubectl, tools, join(KUBERNETES, 'base'));
    expect(byName(manifestsOf('base'))).toEqual(byName(base));
  });

  test('packs the dashboard and the alerts of the base, which stand once in the tree', async () => {
    const links = await readdir(join(CHART, 'files'), { withFileTypes: true });
    expect(links.map((entry) => [entry.name, entry.isSymbolicLink()])).toEqual([
      ['dashboard.json', true],
      ['monitoring.yaml', true],
    ]);
    const rules = findManifest(manifestsOf('base'), 'PrometheusRule', 'tgefd-authorizer').spec.groups[0].rules;
    expect(rules.length).toBeGreaterThan(10);
    const other = await renderChart(program, tools, [...valuesOf('base'), '--set', 'fullnameOverride=edge']);
    const texts = JSON.stringify(findManifest(other, 'PrometheusRule', 'edge'));
    expect(texts).toContain('job=\\"edge\\"');
  });

  test('needs no operator by default, and names the Secrets that the user makes', () => {
    const groups = manifestsOf('plain').map(({ apiVersion }) => apiVersion.split('/')[0] ?? '');
    expect(groups.filter((group) => OPERATORS.includes(group))).toEqual([]);
    expect(manifestsOf('plain').filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const { volumes } = deploymentOf('plain').template.spec;
    expect(volumes.map((one: { secret: { secretName: string } }) => one.secret.secretName)).toEqual([
      'tgefd-authorizer',
      'tgefd-authorizer-tls',
    ]);
  });

  test('makes a Secret only from values that are given, and drops a key that is set to null', () => {
    const secret = findManifest(manifestsOf('dual-stack'), 'Secret', 'tgefd-authorizer');
    expect(Object.keys(secret.data)).toEqual([
      'audit-pseudonym-key',
      'audit-signing-key',
      'ingress-secret',
      'redis-token',
    ]);
    const names = deploymentOf('dual-stack').template.spec.containers[0].env.map((one: { name: string }) => one.name);
    expect(names).toContain('UPSTASH_REDIS_REST_TOKEN_FILE');
    expect(names).not.toContain('TGEFD_REDIS_TOKEN_FILE');
  });

  test.each(CASES)('has pods that the restricted profile admits with the %s values', (name) => {
    expect(restrictedViolations(findManifest(manifestsOf(name), 'Deployment', 'tgefd-authorizer'))).toEqual([]);
    const check = findManifest(manifestsOf(name), 'Pod', 'tgefd-authorizer-check-config');
    expect(restrictedViolations({ ...check, spec: { template: { spec: check.spec } } })).toEqual([]);
  });

  test('listens on both address families and lets both out, and only public addresses', () => {
    const { env } = deploymentOf('dual-stack').template.spec.containers[0];
    expect(env).toContainEqual({ name: 'HOST', value: '::' });
    expect(findManifest(manifestsOf('dual-stack'), 'Service', 'tgefd-authorizer').spec).toMatchObject({
      ipFamilyPolicy: 'PreferDualStack',
      ipFamilies: ['IPv6', 'IPv4'],
    });
    const { egress } = findManifest(manifestsOf('dual-stack'), 'NetworkPolicy', 'tgefd-authorizer').spec;
    expect(egress.at(-1).to.map((one: { ipBlock: object }) => one.ipBlock)).toEqual([
      {
        cidr: '0.0.0.0/0',
        except: ['10.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16'],
      },
      { cidr: '::/0', except: ['fc00::/7', 'fe80::/10'] },
    ]);
  });

  test('leaves the number of pods to the autoscaler, and fixes it without one', () => {
    expect(deploymentOf('plain').replicas).toBeUndefined();
    expect(deploymentOf('dual-stack').replicas).toBe(4);
    expect(manifestsOf('dual-stack').some(({ kind }) => kind === 'HorizontalPodAutoscaler')).toBe(false);
    expect(manifestsOf('dual-stack').some(({ kind }) => kind === 'PodDisruptionBudget')).toBe(true);
  });

  test('lets nobody connect before a proxy is named', async () => {
    const alone = await renderChart(program, tools, [
      ...valuesOf('plain'),
      '--set-json',
      'networkPolicy.from=[]',
      '--set-json',
      'networkPolicy.metricsFrom=[]',
    ]);
    expect(findManifest(alone, 'NetworkPolicy', 'tgefd-authorizer').spec.ingress).toEqual([]);
  });

  test('rolls the pods when a setting changes, and only then', async () => {
    const checksum = (manifests: readonly Manifest[]) =>
      findManifest(manifests, 'Deployment', 'tgefd-authorizer').spec.template.metadata.annotations['checksum/settings'];
    const again = await renderChart(program, tools, valuesOf('plain'));
    const changed = await renderChart(program, tools, [...valuesOf('plain'), '--set', 'settings.TGEFD_LOG=x']);
    expect(checksum(again)).toBe(checksum(manifestsOf('plain')));
    expect(checksum(changed)).not.toBe(checksum(manifestsOf('plain')));
  });

  test('pins an image by digest', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const pinned = await renderChart(program, tools, [...valuesOf('plain'), '--set', `image.digest=${digest}`]);
    const [container] = findManifest(pinned, 'Deployment', 'tgefd-authorizer').spec.template.spec.containers;
    expect(container.image).toBe(`registry.example.com/tgefd-authorizer@${digest}`);
  });

  test('serves plain HTTP everywhere or nowhere', async () => {
    const plain = await renderChart(program, tools, [...valuesOf('plain'), '--set', 'tls.source=none']);
    const [container] = findManifest(plain, 'Deployment', 'tgefd-authorizer').spec.template.spec.containers;
    expect(container.env.map((one: { name: string }) => one.name)).not.toContain('TGEFD_TLS_CERT_FILE');
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http', scheme: 'HTTP' });
    expect(findManifest(plain, 'Service', 'tgefd-authorizer').spec.ports).toEqual([
      { name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' },
    ]);
  });

  test('starts the product with every set of values', () => {
    const jwk = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) });
    for (const name of CASES) {
      const env: Record<string, string> = { ...findManifest(manifestsOf(name), 'ConfigMap', 'tgefd-authorizer').data };
      for (const one of deploymentOf(name).template.spec.containers[0].env) env[one.name] = one.value;
      for (const secret of secretNames.filter((one) => `${one}_FILE` in env)) {
        delete env[`${secret}_FILE`];
        env[secret] = /SIGNING|ASSERTION/.test(secret) ? jwk : 'k'.repeat(48);
      }
      const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
      const loaded = loadConfig(env, place);
      expect([name, loaded.ok ? [] : loaded.problems]).toEqual([name, []]);
    }
  });

  describe('its schema of values refuses', () => {
    test.each([
      ['a release without a way to authenticate', '/settings', ['--set-json', 'settings={}']],
      ['a value that does not exist', 'replicaCount', ['--set', 'replicaCount=2']],
      ['a setting that is no text', '/settings/TGEFD_BURST_LIMIT', ['--set', 'settings.TGEFD_BURST_LIMIT=5']],
      ['the tag latest', '/image/tag', ['--set', 'image.tag=latest']],
      ['a source of secrets that does not exist', '/secrets/source', ['--set', 'secrets.source=vault']],
      [
        'values of secrets beside External Secrets',
        '/secrets/values',
        ['--set', 'secrets.source=externalSecrets,secrets.values.a=b'],
      ],
      ['Vault without TLS', '/vault/server', ['--set', 'secrets.externalSecrets.vault.server=http://vault']],
      ['a third address family', '/ip/families', ['--set-json', 'ip.families=["IPv4","IPv5"]']],
      ['a scrape without an issuer', 'tokenUrl', ['--set', 'monitoring.serviceMonitor.enabled=true']],
      ['one replica under an autoscaler', '/autoscaling/minReplicas', ['--set', 'autoscaling.minReplicas=1']],
    ])('%s', async (_, named, args) => {
      const answer = await helm(program, ['template', 'x', CHART, ...valuesOf('plain'), ...args]);
      expect(answer).toMatchObject({ ok: false, text: expect.stringContaining(named) });
    });

    test('every secret of the product among the settings', async () => {
      for (const name of secretNames) {
        const args = ['template', 'x', CHART, ...valuesOf('plain'), '--set-string', `settings.${name}=x`];
        expect([name, (await helm(program, args)).ok]).toEqual([name, false]);
      }
    }, 120_000);
  });
});
