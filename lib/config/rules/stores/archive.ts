import type { Problem } from '../../problem.ts';
import type { Settings } from '../../variables.ts';
import type { Place } from '../check.ts';

/** Whether records of production pile up in the outbox unless another process archives them. */
function isUnarchived(settings: Settings, place: Place): boolean {
  if (settings.environment !== 'production' || settings.auditMode === 'off' || place.role === 'archive') return false;
  if (settings.auditBucket === null) return !place.bucketBinding;
  return place.platform === 'node' && settings.auditArchiveIntervalSeconds === 0;
}

function consequence({ auditMode, auditStreamMaximum }: Settings): string {
  const then = auditMode === 'strict' ? 'every request is answered 503 `audit_unavailable`' : 'records are lost';
  return `once the outbox holds ${auditStreamMaximum} records (TGEFD_AUDIT_STREAM_MAX), ${then}`;
}

/** What a process should say at its start that archives nothing itself. */
export function archiveWarnings(settings: Settings, place: Place): readonly Problem[] {
  if (place.platform !== 'node' || !isUnarchived(settings, place)) return [];
  return [
    {
      variable: settings.auditBucket === null ? 'TGEFD_AUDIT_BUCKET' : 'TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC',
      found: settings.auditBucket === null ? 'nothing' : '0',
      accepted: `an archive, here or in another process: without one, ${consequence(settings)}`,
    },
  ];
}

/** The same as a weakness, or null. */
export function archiveWeakness(settings: Settings, place: Place): string | null {
  if (!isUnarchived(settings, place)) return null;
  return `This process archives no records (TGEFD_AUDIT_BUCKET): unless another one does, ${consequence(settings)}.`;
}
