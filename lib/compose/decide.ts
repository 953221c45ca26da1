import type { Recorder } from '../audit/recorder.ts';
import type { CertificateReader } from '../authenticate/certificate/client-certificate.ts';
import { loadBalancerFields } from '../authenticate/certificate/sources/load-balancer-certificate.ts';
import { traefikField } from '../authenticate/certificate/sources/traefik-certificate.ts';
import { createAuthorize } from '../authorize/authorize.ts';
import type { Config } from '../config/load.ts';
import { ingressHeaders } from '../config/rules/ingress.ts';
import { createEnforce, type Enforce } from '../decision/pipeline.ts';
import type { CredentialUsed } from '../decision/principal.ts';
import type { Steps } from '../decision/steps.ts';
import { createProbe, type Probe } from '../http/probe.ts';
import { createBoundary, type Examine } from '../request/boundary.ts';
import { createEndpointTable } from '../request/endpoints/table.ts';
import { canonicalTarget } from '../request/path.ts';
import { composeQuotas } from './admit/quotas.ts';
import { acceptedValues, composeAuthenticator } from './authenticate/authenticate.ts';
import { challengeSettings } from './authenticate/proofs.ts';
import type { Carried } from './carried.ts';
import { composeMessages } from './messages.ts';
import { composeObservation } from './observe/observe.ts';
import { recording } from './observe/record.ts';
import type { Runtime } from './runtime.ts';
import { composeShadow } from './shadow.ts';
import type { SharedParts } from './shared-parts.ts';

/** Settings, steps and clocks of a decision. */
export type Deciding = Parameters<typeof createEnforce>;

/** Wires the pipeline of decisions, and the probe that shares its first step. */
export function composeDecision(
  config: Config,
  runtime: Runtime,
  parts: { readonly shared: SharedParts; readonly carried: Carried; readonly recorder: Recorder },
): { readonly enforce: Enforce; readonly deciding: Deciding; readonly probe: Probe | null; readonly examine: Examine } {
  const { settings } = config;
  const { clock, newId, log } = runtime;
  const { used, egress, metrics, spans, processKey } = parts.shared;
  const { authenticate, readCertificate } = composeAuthenticator(
    config,
    runtime,
    parts.carried.keySets,
    used,
    [...acceptedValues(settings.auditPseudonymKey), processKey],
    egress,
  );
  const examine = composeBoundary(config, runtime, used);
  const deciding: Deciding = [
    {
      authMode: config.authMode,
      challenge: challengeSettings(config),
      requireTls: settings.requireTls,
      maximumBodyBytes: settings.maximumBodyBytes,
      forwards: runtime.upstream !== null || runtime.trial === true,
    },
    { examine, authenticate, ...stepsAfter(config, runtime, parts) },
    {
      clock,
      stopwatch: runtime.stopwatch ?? clock,
      newId,
      log,
      watch: composeObservation(config, { metrics, spans, fetch: egress, clock, log }),
    },
  ];
  return {
    enforce: createEnforce(...deciding),
    deciding,
    probe: composeProbe(config, runtime, { examine, readCertificate }),
    examine,
  };
}

/** Every step but the reading of the boundary and of credentials. */
function stepsAfter(
  config: Config,
  runtime: Runtime,
  parts: { readonly shared: SharedParts; readonly carried: Carried; readonly recorder: Recorder },
): Omit<Steps, 'examine' | 'authenticate'> {
  const { settings, documents } = config;
  const { metrics, pseudonyms } = parts.shared;
  const { failures, underWay, store } = parts.carried;
  const budgetsFor = composeQuotas(config, metrics);
  const stepUpTime = { clock: runtime.clock, clockSkewSeconds: settings.jwtClockSkewSeconds };
  const shadow = composeShadow(config, stepUpTime);
  const byMessage = composeMessages(config);
  return {
    canonicalTarget,
    route: createEndpointTable(documents.endpoints).route,
    authorize: createAuthorize(documents.endpoints, settings.rbacEnabled, stepUpTime),
    budgetsFor: (principal, endpoint) => budgetsFor(principal, endpoint.budget),
    failures,
    pseudonym: (kind, value) => pseudonyms.of(kind, value),
    underWay,
    admission: store.admission,
    ...(byMessage === null ? {} : { byMessage }),
    ...(shadow === null ? {} : { shadow }),
    record: recording(config, parts.recorder, pseudonyms),
  };
}

function composeBoundary({ settings, documents, place }: Config, { newId }: Runtime, used: CredentialUsed): Examine {
  const certificateFields = [settings.mtlsIdentityHeader, settings.mtlsScopesHeader, settings.mtlsRoleHeader];
  return createBoundary(
    {
      trustedProxies: place.platform === 'worker' ? [] : documents.trustedProxies,
      ingressSecrets: acceptedValues(settings.ingressSecret),
      identityHeader: settings.identityHeader,
      ingressHeaders: [
        ...certificateFields,
        ...(settings.mtlsSources.includes('alb') ? Object.values(loadBalancerFields) : []),
        ...(settings.mtlsSources.includes('traefik') ? [traefikField] : []),
      ].filter((name) => name !== null),
      traceSampleRatio: settings.otelSampleRatio,
    },
    { newId, used },
  );
}

function composeProbe(
  { settings }: Config,
  { clock }: Runtime,
  parts: { readonly examine: Examine; readonly readCertificate: CertificateReader },
): Probe | null {
  if (!settings.doctorSecret) return null;
  return createProbe({
    ...parts,
    secrets: acceptedValues(settings.doctorSecret),
    configured: [...ingressHeaders(settings).keys()],
    clock,
  });
}
