import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { ensurePackage, pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { findManifest, KUBERNETES, kustomizeProgram, type Manifest, render } from '../support/manifests.ts';
import { toolFolder } from '../support/tool-folder.ts';

const run = promisify(execFile);
const [tools, kubectl, promtool] = await Promise.all([
  toolFolder(),
  kustomizeProgram(),
  ensurePackage('promtool', ['prometheus']),
]);

/** Every metric there is; alerts and dashboard may name no other. */
const METRICS: Readonly<Record<string, readonly string[]>> = {
  tgefd_decisions_total: ['endpoint', 'outcome', 'code', 'auth_method', 'degraded'],
  tgefd_decision_duration_seconds_bucket: ['stage', 'le'],
  tgefd_key_set_age_seconds: [],
  tgefd_redis_breaker_open: [],
  tgefd_outbox_depth: [],
  tgefd_archive_lag_seconds: [],
  tgefd_audit_lost_total: [],
  tgefd_upstream_duration_seconds_bucket: ['le'],
};

describeWith([tools, kubectl], 'alerts and dashboard', () => {
  let manifests: Manifest[];
  beforeAll(async () => {
    manifests = await render(kubectl, tools, join(KUBERNETES, 'base'));
  });
  const groups = () => findManifest(manifests, 'PrometheusRule', 'tgefd-authorizer').spec.groups;
  const dashboard = () =>
    JSON.parse(findManifest(manifests, 'ConfigMap', 'tgefd-authorizer-dashboard').data['tgefd-authorizer.json']);

  const expressions = () => [
    ...groups().flatMap((group: { rules: { expr: string }[] }) => group.rules.map((rule) => rule.expr)),
    ...dashboard().panels.flatMap((panel: { targets: { expr: string }[] }) =>
      panel.targets.map((target) => target.expr),
    ),
  ];

  test('name only metrics and labels that exist, and every metric is looked at', () => {
    const named = new Set<string>();
    for (const expression of expressions()) {
      for (const [, metric = '', selector = ''] of expression.matchAll(/\b(tgefd_\w+)(\{[^}]*\})?/g)) {
        named.add(metric);
        expect(Object.keys(METRICS)).toContain(metric);
        for (const [, label] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)) expect(METRICS[metric]).toContain(label);
      }
    }
    expect([...named].sort()).toEqual(Object.keys(METRICS).sort());
  });

  test('the dashboard is one that Grafana loads by its label', () => {
    const map = findManifest(manifests, 'ConfigMap', 'tgefd-authorizer-dashboard');
    expect(map.metadata.labels?.grafana_dashboard).toBe('1');
    const ids = dashboard().panels.map((panel: { id: number }) => panel.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(dashboard().uid).toBe('tgefd-authorizer');
  });

  describeWith([promtool], 'as Prometheus reads them', () => {
    test('the alerts are valid, and fire and stay silent as they should', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tgefd-rules-'));
      try {
        // promtool compares annotations too; what is tested here is when an alert fires.
        const bare = groups().map((group: { rules: object[] }) => ({
          ...group,
          rules: group.rules.map((rule) => ({ ...rule, annotations: undefined })),
        }));
        await writeFile(join(folder, 'rules.yaml'), JSON.stringify({ groups: bare }));
        await writeFile(join(folder, 'tests.yaml'), JSON.stringify(ALERT_TESTS));
        await writeFile(join(folder, 'whole.yaml'), JSON.stringify({ groups: groups() }));
        await run(pathOf(promtool), ['check', 'rules', join(folder, 'whole.yaml')]);
        await run(pathOf(promtool), ['test', 'rules', join(folder, 'tests.yaml')]).catch(
          (error: { stdout: string; stderr: string }) => {
            throw new Error(`${error.stdout}\n${error.stderr}`);
          },
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }, 60_000);
  });
});

const allowed = 'tgefd_decisions_total{outcome="allowed",code="none",degraded="none"}';
function firing(alertname: string, at: string, names: readonly Record<string, string>[]) {
  return {
    eval_time: at,
    alertname,
    exp_alerts: names.map((exp_labels) => ({ exp_labels })),
  };
}
const severity = { critical: { severity: 'critical' }, warning: { severity: 'warning' } };

const ALERT_TESTS = {
  rule_files: ['rules.yaml'],
  evaluation_interval: '1m',
  tests: [
    {
      name: 'an outage of ours, lost records, an issuer gone, Redis given up',
      interval: '1m',
      input_series: [
        { series: allowed, values: '0+900x40' },
        {
          series: 'tgefd_decisions_total{outcome="denied",code="keys_unavailable",degraded="none"}',
          values: '0+100x40',
        },
        { series: 'tgefd_audit_lost_total', values: '0 0 0 0 0 0 0 0 0 0 5+0x30' },
        { series: 'tgefd_key_set_age_seconds{instance="a"}', values: '0+60x40' },
        { series: 'tgefd_redis_breaker_open{instance="a"}', values: '1x40' },
        { series: 'up{job="tgefd-authorizer"}', values: '1x40' },
      ],
      alert_rule_test: [
        firing('TgefdAuthorizerOutage', '10m', [severity.critical]),
        firing('TgefdAuditLost', '5m', []),
        firing('TgefdAuditLost', '12m', [severity.critical]),
        firing('TgefdKeySetStale', '15m', []),
        firing('TgefdKeySetStale', '25m', [{ ...severity.warning, instance: 'a' }]),
        firing('TgefdRedisBreakerOpen', '5m', [{ ...severity.warning, instance: 'a' }]),
        firing('TgefdAuthorizerAbsent', '10m', []),
      ],
    },
    {
      name: 'a quiet day: denials that are the callers’ own, and nothing fires',
      interval: '1m',
      input_series: [
        { series: allowed, values: '0+600x60' },
        { series: 'tgefd_decisions_total{outcome="denied",code="rate_limited",degraded="none"}', values: '0+300x60' },
        {
          series: 'tgefd_decisions_total{outcome="denied",code="credentials_invalid",degraded="none"}',
          values: '0+100x60',
        },
        { series: 'tgefd_decision_duration_seconds_bucket{stage="total",le="0.01"}', values: '0+1000x60' },
        { series: 'tgefd_decision_duration_seconds_bucket{stage="total",le="+Inf"}', values: '0+1000x60' },
        { series: 'tgefd_archive_lag_seconds', values: '300x60' },
        { series: 'tgefd_outbox_depth', values: '100x60' },
        { series: 'up{job="tgefd-authorizer"}', values: '1x60' },
      ],
      alert_rule_test: [
        ...['TgefdAuthorizerOutage', 'TgefdAuditLost', 'TgefdArchiveLagging', 'TgefdOutboxFilling', 'TgefdKeySetStale'],
        ...['TgefdRedisBreakerOpen', 'TgefdDegradedDecisions', 'TgefdDecisionsSlow', 'TgefdCredentialsRefused'],
        'TgefdAuthorizerAbsent',
      ].map((name) => firing(name, '50m', [])),
    },
    {
      name: 'the slow, the degraded, the full and the attacked',
      interval: '1m',
      input_series: [
        { series: allowed, values: '0+600x90' },
        { series: 'tgefd_decisions_total{outcome="allowed",code="none",degraded="limits_local"}', values: '0+100x90' },
        {
          series: 'tgefd_decisions_total{outcome="denied",code="credentials_invalid",degraded="none"}',
          values: '0+900x90',
        },
        { series: 'tgefd_decision_duration_seconds_bucket{stage="total",le="0.1"}', values: '0+900x90' },
        { series: 'tgefd_decision_duration_seconds_bucket{stage="total",le="0.5"}', values: '0+1000x90' },
        { series: 'tgefd_decision_duration_seconds_bucket{stage="total",le="+Inf"}', values: '0+1000x90' },
        { series: 'tgefd_archive_lag_seconds', values: '0+60x90' },
        { series: 'tgefd_outbox_depth', values: '0+1000x90' },
      ],
      alert_rule_test: [
        firing('TgefdDegradedDecisions', '30m', [severity.warning]),
        firing('TgefdDecisionsSlow', '30m', [severity.warning]),
        firing('TgefdCredentialsRefused', '30m', [severity.warning]),
        firing('TgefdArchiveLagging', '60m', [severity.warning]),
        firing('TgefdOutboxFilling', '80m', [severity.warning]),
        firing('TgefdAuthorizerAbsent', '10m', [severity.critical]),
      ],
    },
  ],
};
