import type { Endpoint } from '../../decision/request.ts';
import { tgefdEndpoints } from '../../presets/tgefd.ts';
import type { EndpointRow } from '../../request/endpoints/row-schema.ts';
import { mergeEndpoints, parseEndpointRows } from '../../request/endpoints/rows.ts';
import { ownEndpoints } from '../../request/endpoints/table.ts';
import type { Settings } from '../variables.ts';
import type { Documents } from './documents.ts';
import type { Report } from './report.ts';

/** The table of endpoints, and the one that is only tried. */
export function readEndpoints(report: Report): Pick<Documents, 'endpoints' | 'shadowEndpoints'> {
  const { settings } = report;
  const rows = parseEndpointRows(report.jsonOf('endpoints'));
  for (const problem of rows.problems) report.fault('endpoints', problem);
  const shadow = settings.shadowEndpoints === null ? null : parseEndpointRows(report.jsonOf('shadowEndpoints'));
  for (const problem of shadow?.problems ?? []) report.fault('shadowEndpoints', problem);
  return {
    endpoints: endpointsOf(settings, rows.rows),
    shadowEndpoints: shadow && endpointsOf(settings, shadow.rows),
  };
}

/** The preset's rows with the operator's over them, and our own. */
function endpointsOf(settings: Settings, rows: readonly EndpointRow[]): readonly Endpoint[] {
  const { scopeDiscover, scopeEvaluate, scopeJobs, scopeMetrics, scopeRevoke } = settings;
  const preset =
    settings.preset === 'none'
      ? []
      : tgefdEndpoints({ discover: scopeDiscover, evaluate: scopeEvaluate, jobs: scopeJobs, metrics: scopeMetrics });
  const own = ownEndpoints({ revoke: scopeRevoke, metrics: scopeMetrics }, settings.metricsEnabled);
  return [...mergeEndpoints(preset, rows), ...own];
}
