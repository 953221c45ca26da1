import { createWriteStream } from 'node:fs';
import type { Config } from '../../config/load.ts';
import type { Log } from '../../decision/ports.ts';

/** Writes one line to stdout. */
export function stdoutLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Where audit records go as lines: stdout, the file of `TGEFD_AUDIT_LOG_PATH`, both, or null for neither. */
export function auditLineOf({ settings }: Config, log: Log): ((line: string) => void) | null {
  const file = settings.auditLogPath ? createWriteStream(settings.auditLogPath, { flags: 'a', mode: 0o600 }) : null;
  file?.on('error', (error) =>
    log('error', 'audit_log_failed', { error: (error as { code?: string }).code ?? error.name }),
  );
  if (!file && !settings.auditLog) return null;
  return (line) => {
    if (settings.auditLog) stdoutLine(line);
    file?.write(`${line}\n`);
  };
}
