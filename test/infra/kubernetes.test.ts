import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { describeWith } from '../support/describe-with.ts';
import {
  findManifest,
  KUBERNETES,
  kustomizeProgram,
  type Manifest,
  render,
  renderText,
  restrictedViolations,
  schemaProblems,
  settingsOf,
} from '../support/manifests.ts';
import { plaintextSecrets } from '../support/plaintext-secrets.ts';
import { toolFolder } from '../support/tool-folder.ts';

/* What the manifests come to, rendered by kustomize and held against the Kubernetes and operator schemas and the product. */

const [tools, kubectl] = await Promise.all([toolFolder(), kustomizeProgram()]);

const OVERLAYS = ['base', 'overlays/nginx', 'overlays/traefik', 'overlays/envoy-gateway'];

describeWith([tools, kubectl], 'the Kubernetes manifests', () => {
  const rendered = new Map<string, Manifest[]>();
  beforeAll(async () => {
    for (const overlay of OVERLAYS) rendered.set(overlay, await render(kubectl, tools, join(KUBERNETES, overlay)));
  });
  const manifestsOf = (overlay: string) => rendered.get(overlay) ?? [];

  describe.each(OVERLAYS)('%s', (overlay) => {
    test('names secrets and holds none', async () => {
      expect(plaintextSecrets(await renderText(kubectl, join(KUBERNETES, overlay)))).toEqual([]);
    });

    test('fits the schemas', async () => {
      expect(await schemaProblems(tools, manifestsOf(overlay))).toEqual([]);
    }, 60_000);

    test('has pods that the restricted profile admits, with a read-only root', () => {
      const deployments = manifestsOf(overlay).filter((one) => one.kind === 'Deployment');
      expect(deployments.length).toBe(overlay === 'overlays/nginx' ? 2 : 1);
      for (const deployment of deployments) expect(restrictedViolations(deployment)).toEqual([]);
      const namespace = findManifest(manifestsOf(overlay), 'Namespace', 'tgefd-edge');
      expect(namespace.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    });

    test('holds no secret, only references and file paths', () => {
      const manifests = manifestsOf(overlay);
      expect(manifests.filter((one) => one.kind === 'Secret')).toEqual([]);
      const settings = settingsOf(manifests);
      expect(Object.keys(settings).filter((name) => /SECRET|TOKEN|KEY$|PASSWORD/.test(name))).toEqual([]);
      const { env } = findManifest(manifests, 'Deployment', 'tgefd-authorizer').spec.template.spec.containers[0];
      for (const { name, value, valueFrom } of env) {
        expect(valueFrom, name).toBeUndefined();
        if (/TOKEN|KEY|SECRET/.test(name))
          expect(name.endsWith('_FILE') && value.startsWith('/var/run/'), name).toBe(true);
      }
    });

    test('mounts every file that a variable names, and an ExternalSecret brings it', () => {
      const manifests = manifestsOf(overlay);
      const { spec } = findManifest(manifests, 'Deployment', 'tgefd-authorizer').spec.template;
      const [{ env, volumeMounts }] = spec.containers;
      const keys = findManifest(manifests, 'ExternalSecret', 'tgefd-authorizer').spec.data.map(
        (one: { secretKey: string }) => one.secretKey,
      );
      for (const { name, value } of env.filter((one: { name: string }) => one.name.endsWith('_FILE'))) {
        const mount = volumeMounts.find((one: { mountPath: string }) => value.startsWith(`${one.mountPath}/`));
        expect(mount, name).toMatchObject({ readOnly: true });
        const volume = spec.volumes.find((one: { name: string }) => one.name === mount.name);
        if (mount.name === 'secrets') expect(keys).toContain(value.split('/').at(-1));
        if (mount.name === 'tls') expect(['tls.crt', 'tls.key', 'ca.crt']).toContain(value.split('/').at(-1));
        if (mount.name === 'tokens') {
          expect(volume.projected.sources).toEqual([
            { serviceAccountToken: { path: 'object-store', audience: 'sts.amazonaws.com', expirationSeconds: 3600 } },
          ]);
        }
      }
    });

    test('is a configuration that the authorizer starts with', () => {
      const manifests = manifestsOf(overlay);
      const env: Record<string, string> = { ...settingsOf(manifests) };
      const [container] = findManifest(manifests, 'Deployment', 'tgefd-authorizer').spec.template.spec.containers;
      for (const { name, value } of container.env) env[name] = value;
      const jwk = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) });
      const secrets: Record<string, string> = {
        TGEFD_REDIS_TOKEN: 'token',
        TGEFD_AUDIT_PSEUDONYM_KEY: 'k'.repeat(48),
        TGEFD_AUDIT_SIGNING_KEY: jwk,
        TGEFD_ASSERTION_KEY: jwk,
      };
      for (const [name, value] of Object.entries(secrets)) {
        expect(env[`${name}_FILE`], name).toBeDefined();
        delete env[`${name}_FILE`];
        env[name] = value;
      }
      const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
      const loaded = loadConfig(env, place);
      expect(loaded.ok ? [] : loaded.problems).toEqual([]);
      expect(loaded.warnings).toEqual([]);
      const door = overlay.split('/').at(-1)?.replace('envoy-gateway', 'envoy').replace('base', 'off');
      expect(loaded.ok && loaded.config.settings.forwardAuth).toBe(door);
    });

    test('denies all traffic that no policy names', () => {
      const policies = manifestsOf(overlay).filter((one) => one.kind === 'NetworkPolicy');
      const deny = policies.find((one) => one.metadata.name === 'default-deny');
      expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
      for (const { spec, metadata } of policies) {
        expect(spec.policyTypes, metadata.name).toEqual(['Ingress', 'Egress']);
        for (const rule of spec.egress ?? []) {
          expect(rule.to?.length, metadata.name).toBeGreaterThan(0);
          expect(rule.ports?.length, metadata.name).toBeGreaterThan(0);
        }
      }
      // Link-local (cloud metadata) and private addresses are reached by label only.
      const blocks = policies.flatMap((one) => one.spec.egress ?? []).flatMap((rule) => rule.to);
      for (const { ipBlock } of blocks.filter((one: { ipBlock?: object }) => one.ipBlock)) {
        expect(ipBlock.except).toEqual(
          expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16']),
        );
      }
      const sources = findManifest(manifestsOf(overlay), 'NetworkPolicy', 'tgefd-authorizer').spec.ingress;
      expect(sources).toHaveLength(overlay === 'base' ? 1 : 2);
      for (const rule of sources) expect(rule.from[0].podSelector.matchLabels).toBeDefined();
    });

    test('stays up while nodes and versions change', () => {
      const manifests = manifestsOf(overlay);
      const labels = { 'app.kubernetes.io/name': 'tgefd-authorizer' };
      const { spec } = findManifest(manifests, 'Deployment', 'tgefd-authorizer');
      expect(spec.replicas).toBeUndefined();
      expect(spec.selector.matchLabels).toEqual(labels);
      expect(spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
      expect(
        spec.template.spec.topologySpreadConstraints.map((one: { topologyKey: string }) => one.topologyKey),
      ).toEqual(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
      const [{ readinessProbe, livenessProbe, startupProbe, resources, lifecycle }] = spec.template.spec.containers;
      expect([startupProbe, readinessProbe, livenessProbe].map((probe) => probe.httpGet.path)).toEqual([
        '/healthz',
        '/readyz',
        '/healthz',
      ]);
      expect(resources.requests).toHaveProperty('cpu');
      expect(resources.limits).toHaveProperty('memory');
      // The pause for proxies and the drain of the process fit into the grace period.
      expect(lifecycle.preStop.sleep.seconds + 30).toBeLessThan(spec.template.spec.terminationGracePeriodSeconds);
      expect(findManifest(manifests, 'PodDisruptionBudget', 'tgefd-authorizer').spec.selector.matchLabels).toEqual(
        labels,
      );
      const { scaleTargetRef, minReplicas } = findManifest(
        manifests,
        'HorizontalPodAutoscaler',
        'tgefd-authorizer',
      ).spec;
      expect(scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'tgefd-authorizer' });
      expect(minReplicas).toBeGreaterThanOrEqual(2);
      const service = findManifest(manifests, 'Service', 'tgefd-authorizer').spec;
      expect(service.selector).toEqual(labels);
      expect(spec.template.spec.containers[0].ports.map((one: { name: string }) => one.name)).toContain(
        service.ports[0].targetPort,
      );
    });
  });

  test('the schema check sees a misspelt member, a wrong type and a missing one', async () => {
    const deployment = findManifest(manifestsOf('base'), 'Deployment', 'tgefd-authorizer');
    const spoilt = (spoil: (copy: Manifest) => void) => {
      const copy = structuredClone(deployment);
      spoil(copy);
      return schemaProblems(tools, [copy]);
    };
    const container = (copy: Manifest) => copy.spec.template.spec.containers[0];
    expect(await spoilt(() => {})).toEqual([]);
    expect((await spoilt((copy) => Object.assign(container(copy), { readynessProbe: {} }))).join()).toContain(
      'readynessProbe',
    );
    expect((await spoilt((copy) => Object.assign(container(copy), { imagePullPolicy: 'Often' }))).join()).toContain(
      'imagePullPolicy',
    );
    expect((await spoilt((copy) => void delete container(copy).name)).join()).toContain('name');
  }, 60_000);

  test('the FQDN component replaces the rule to public addresses and names every host of the settings', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tgefd-kustomize-'));
    const component = relative(folder, join(KUBERNETES, 'components/egress-fqdn'));
    const base = relative(folder, join(KUBERNETES, 'base'));
    await writeFile(
      join(folder, 'kustomization.yaml'),
      `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${base}]\ncomponents: [${component}]\n`,
    );
    const manifests = await render(kubectl, tools, folder).finally(() => rm(folder, { recursive: true, force: true }));
    const policy = findManifest(manifests, 'NetworkPolicy', 'tgefd-authorizer').spec;
    expect(JSON.stringify(policy.egress)).not.toContain('ipBlock');
    expect(policy.egress).toHaveLength(2);
    const rules = findManifest(manifests, 'CiliumNetworkPolicy', 'tgefd-authorizer-egress').spec.egress;
    const names = rules
      .flatMap((rule: { toFQDNs?: { matchName: string }[] }) => rule.toFQDNs ?? [])
      .map((one: { matchName: string }) => one.matchName);
    const settings: Record<string, string> = settingsOf(manifests);
    for (const [name, value] of Object.entries(settings)) {
      if (!/^(TGEFD_JWKS_URL|TGEFD_REDIS_URL|TGEFD_AUDIT_S3_ENDPOINT)$/.test(name)) continue;
      expect(names, name).toContain(new URL(value).hostname);
    }
    expect(names).toContain(
      `${settings.TGEFD_AUDIT_BUCKET}.${new URL(settings.TGEFD_AUDIT_S3_ENDPOINT ?? '').hostname}`,
    );
  });

  test('what the page on secrets has Vault and IAM trust is what the manifests ask with', async () => {
    const page = await readFile(join(KUBERNETES, '../../docs/guides/secrets.md'), 'utf8');
    const manifests = manifestsOf('base');
    const { path, auth } = findManifest(manifests, 'SecretStore', 'vault').spec.provider.vault;
    const { role, mountPath, serviceAccountRef } = auth.kubernetes;
    expect(page).toContain(
      `vault write auth/${mountPath}/role/${role} bound_service_account_namespaces=tgefd-edge \\\n` +
        `  bound_service_account_names=${serviceAccountRef.name} audience=${serviceAccountRef.audiences} `,
    );
    const readable = [...page.matchAll(/^path "(\S+)" \{ capabilities = \["read"\] \}$/gm)].map(([, one]) => one);
    const read = manifests
      .filter(({ kind }) => kind === 'ExternalSecret')
      .flatMap(({ spec }) =>
        spec.data.map((one: { remoteRef: { key: string } }) => `${path}/data/${one.remoteRef.key}`),
      );
    expect(new Set(readable)).toEqual(new Set(read));
    const { serviceAccountName } = findManifest(manifests, 'Deployment', 'tgefd-authorizer').spec.template.spec;
    expect(page).toContain(`SUBJECT=system:serviceaccount:tgefd-edge:${serviceAccountName}\n`);
    const [, roleName] = /--role-name (\S+)/.exec(page) ?? [];
    expect(settingsOf(manifests).AWS_ROLE_ARN?.endsWith(`:role/${roleName}`)).toBe(true);
  });

  test('each proxy overlay asks the check endpoint, strips before it asks and takes the credential away after', () => {
    const middlewares = manifestsOf('overlays/traefik').filter((one) => one.kind === 'Middleware');
    const guarded = findManifest(manifestsOf('overlays/traefik'), 'IngressRoute', 'tgefd').spec.routes.find(
      (route: { middlewares?: object[] }) => route.middlewares !== undefined,
    );
    expect(guarded.middlewares.map((one: { name: string }) => one.name)).toEqual([
      'tgefd-strip',
      'tgefd-authorizer',
      'tgefd-credential',
    ]);
    const ask = middlewares.find((one) => one.metadata.name === 'tgefd-authorizer')?.spec.forwardAuth;
    expect(ask).toMatchObject({
      trustForwardHeader: false,
      authRequestHeaders: ['Authorization', 'DPoP', 'Traceparent', 'MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name'],
    });
    expect(new URL(ask.address).pathname).toBe('/_authorizer/check');

    const policy = findManifest(manifestsOf('overlays/envoy-gateway'), 'SecurityPolicy', 'tgefd').spec;
    expect(policy.extAuth).toMatchObject({
      failOpen: false,
      statusOnError: 503,
      http: { path: '/_authorizer/ext-authz' },
    });
    expect(policy.extAuth.http.headersToBackend).toEqual(
      ask.authResponseHeaders.map((name: string) => name.toLowerCase()),
    );
    const client = findManifest(manifestsOf('overlays/envoy-gateway'), 'ClientTrafficPolicy', 'tgefd').spec;
    expect(client.headers).toMatchObject({
      withUnderscoresAction: 'RejectRequest',
      xForwardedClientCert: { mode: 'Sanitize' },
    });
    const removed: { value: string }[] = client.headers.earlyRequestHeaders.removeOnMatch;
    for (const family of ['x-auth-', 'x-tgefd-', 'x-ssl-', 'ssl-client-', 'client-cert', 'x-original-']) {
      expect(removed.map((one) => one.value)).toContain(family);
    }
    const route = findManifest(manifestsOf('overlays/envoy-gateway'), 'HTTPRoute', 'tgefd').spec.rules[0];
    expect(route.filters[0].requestHeaderModifier.remove).toEqual(['authorization', 'dpop', 'x-api-key']);
  });
});
