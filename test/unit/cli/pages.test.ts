import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answersPage } from '../../../lib/cli/pages/answers.ts';
import { metricsOf, metricsPage } from '../../../lib/cli/pages/metrics.ts';
import { ownEndpoints } from '../../../lib/cli/pages/own-endpoints.ts';
import { reasonNames } from '../../../lib/cli/pages/reasons.ts';
import { recordsPage } from '../../../lib/cli/pages/records.ts';
import { codes } from '../../../lib/respond/denial.ts';

describe('generated pages of the reference', () => {
  test('the page of answers has a row for every code and every reason', () => {
    const page = answersPage();
    for (const name of [...codes, ...reasonNames]) expect(page).toContain(`\`${name}\``);
    expect(page).toContain('| 403 | `insufficient_scope` | Insufficient scope | forbidden |');
  });

  test('the page of metrics reads names, types, labels and help from the lines that register them', () => {
    const source = `metrics.counter('tgefd_a_total', 'Things.', { kind: ['x'], slot: ['y'] });
      metrics.histogram(
        'tgefd_b_seconds',
        "Time of a 'thing'.",
        { stage: STAGES },
        BUCKETS,
      );
      metrics.counterOf('tgefd_c_total', 'Others.', () => 1);`;
    expect(metricsOf(source)).toEqual([
      { name: 'tgefd_a_total', type: 'counter', labels: ['kind', 'slot'], help: 'Things.' },
      { name: 'tgefd_b_seconds', type: 'histogram', labels: ['stage'], help: "Time of a 'thing'." },
      { name: 'tgefd_c_total', type: 'counter', labels: [], help: 'Others.' },
    ]);
  });

  test('the page of metrics misses none that an alert asks for', () => {
    const page = metricsPage();
    const alerts = readFileSync('infra/kubernetes/base/monitoring.yaml', 'utf8');
    const asked = new Set(alerts.match(/tgefd_\w+?(?=(_bucket|_sum|_count)?\b)/g));
    expect([...asked].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test('the page of records has every kind of record', () => {
    for (const type of ['audit', 'secret_access', 'budget_change', 'audit_unreadable'])
      expect(recordsPage()).toContain(`| \`type\` | \`${type}\` |`);
  });

  test('no path of the page of endpoints can reach the upstream', () => {
    expect(ownEndpoints.filter(([, path]) => !/^\/(_authorizer\/|healthz$|readyz$|\.well-known\/)/.test(path))).toEqual(
      [],
    );
  });
});
