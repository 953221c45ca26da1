import type { Config } from '../../config/load.ts';
import { overdueSecrets } from '../../config/rotation.ts';
import type { EgressWatch } from '../../egress/watch.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Runtime } from '../runtime.ts';

/** Registers the metrics that belong to the process as a whole. */
export function addProcessMetrics(
  metrics: Metrics,
  config: Config,
  { clock, linesLost }: Pick<Runtime, 'clock' | 'linesLost'>,
  egress: EgressWatch,
): void {
  const { shadowUntil } = config.settings;
  metrics.counterOf(
    'tgefd_egress_refused_total',
    'Calls to places that the configuration does not name.',
    egress.count,
  );
  metrics.gauge(
    'tgefd_shadow_until_seconds',
    'End of the time in which denials are only recorded, epoch seconds.',
    () => (shadowUntil === null ? null : shadowUntil / 1000),
  );
  if (linesLost)
    metrics.counterOf('tgefd_log_lines_lost_total', 'Log lines that neither a stream nor a file accepted.', linesLost);
  metrics.gauge(
    'tgefd_secrets_overdue',
    'Secrets whose X_ROTATED_AT is longer ago than TGEFD_ROTATION_MAX_AGE_DAYS.',
    () => overdueSecrets(config, clock()),
  );
}
