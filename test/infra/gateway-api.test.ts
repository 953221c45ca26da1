import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import {
  findManifest,
  KUBERNETES,
  kustomizeProgram,
  type Manifest,
  render,
  restrictedViolations,
  schemaProblems,
  settingsOf,
} from '../support/manifests.ts';
import { toolFolder } from '../support/tool-folder.ts';

/* The overlay for gateways with the ExternalAuth filter. The filter is experimental: no schema package has it yet. */

const [tools, kubectl] = await Promise.all([toolFolder(), kustomizeProgram()]);

describeWith([tools, kubectl], 'the Gateway API overlay', () => {
  let manifests: Manifest[] = [];
  beforeAll(async () => {
    manifests = await render(kubectl, tools, join(KUBERNETES, 'overlays/gateway-api'));
  });
  const route = () => findManifest(manifests, 'HTTPRoute', 'tgefd').spec;

  test('fits the schemas, the experimental filter aside', async () => {
    const stable = manifests.map((one) => {
      if (one.kind !== 'HTTPRoute') return one;
      const copy = structuredClone(one);
      for (const rule of copy.spec.rules) {
        rule.filters = rule.filters?.filter(({ type }: { type: string }) => type !== 'ExternalAuth');
        if (!rule.filters?.length) delete rule.filters;
      }
      return copy;
    });
    expect(await schemaProblems(tools, stable)).toEqual([]);
  }, 60_000);

  test('writes the filter with the members of GEP-1494 and no others', () => {
    const [filter] = route().rules[0].filters;
    expect(Object.keys(filter)).toEqual(['externalAuth', 'type']);
    expect(filter.type).toBe('ExternalAuth');
    expect(Object.keys(filter.externalAuth).sort()).toEqual(['backendRef', 'http', 'protocol']);
    expect(filter.externalAuth.protocol).toBe('HTTP');
    expect(filter.externalAuth.backendRef).toEqual({ name: 'tgefd-authorizer', port: 443 });
    expect(Object.keys(filter.externalAuth.http).sort()).toEqual(['allowedHeaders', 'allowedResponseHeaders', 'path']);
    expect(filter.externalAuth.http.path).toBe('/_authorizer/ext-authz');
  });

  test('sends no field of the caller that would be believed, and takes over the fields of the Envoy overlay', async () => {
    const { http } = route().rules[0].filters[0].externalAuth;
    for (const name of http.allowedHeaders.filter((one: string) => !one.startsWith('mcp-')))
      expect(name).not.toMatch(/auth|cert|user|identity|tgefd|original|uri|method/);
    const envoy = await render(kubectl, tools, join(KUBERNETES, 'overlays/envoy-gateway'));
    const policy = findManifest(envoy, 'SecurityPolicy', 'tgefd').spec.extAuth;
    expect(http.allowedResponseHeaders).toEqual(policy.http.headersToBackend);
    expect(settingsOf(manifests).TGEFD_FORWARD_AUTH).toBe('envoy');
  });

  test('asks about every path except the two probes and the metadata, which go to the authorizer', () => {
    const [guarded, probes] = route().rules;
    expect(guarded.matches).toEqual([{ path: { type: 'PathPrefix', value: '/' } }]);
    expect(probes.matches.map(({ path }: { path: object }) => path)).toEqual([
      { type: 'Exact', value: '/healthz' },
      { type: 'Exact', value: '/readyz' },
      { type: 'PathPrefix', value: '/.well-known/oauth-protected-resource' },
    ]);
    expect(probes.backendRefs[0].name).toBe('tgefd-authorizer');
    expect(restrictedViolations(findManifest(manifests, 'Deployment', 'tgefd-authorizer'))).toEqual([]);
  });
});
