import { parseExporterHeaders } from '../../observe/exporter-headers.ts';
import { type AddressRange, parseCidrs } from '../../request/addresses.ts';
import type { Problem } from '../problem.ts';
import type { Settings } from '../variables.ts';
import type { Documents } from './documents.ts';
import { readEndpoints } from './endpoints.ts';
import { readIdentity } from './identity.ts';
import { readLimits } from './limits.ts';
import { createReport, type Report } from './report.ts';
import { readSigningKeys } from './signing-keys.ts';

/** Reads every document of the configuration; gives one problem for each fault. */
export function readDocuments(
  settings: Settings,
  verifiesOnly = false,
): {
  readonly documents: Documents;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const report = createReport(settings, problems);
  const documents: Documents = {
    ...readEndpoints(report),
    trustedProxies: readTrustedProxies(report),
    ...readSigningKeys(report, verifiesOnly),
    ...readIdentity(report),
    ...readLimits(report),
    exporterHeaders: readExporterHeaders(report),
  };
  return { documents, problems };
}

function readTrustedProxies(report: Report): readonly AddressRange[] {
  const { ranges, problems } = parseCidrs(report.settings.trustedProxies);
  for (const problem of problems) report.fault('trustedProxies', problem);
  return ranges;
}

function readExporterHeaders(report: Report): Documents['exporterHeaders'] {
  const { otelHeaders } = report.settings;
  const parsed = otelHeaders && parseExporterHeaders(otelHeaders.current);
  if (!parsed) return {};
  if (parsed.ok) return parsed.headers;
  report.fault('otelHeaders', parsed.problem);
  return {};
}
