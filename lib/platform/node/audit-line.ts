import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Problem } from '../../config/problem.ts';
import type { Settings } from '../../config/variables.ts';
import { variables } from '../../config/variables.ts';
import type { Log } from '../../decision/ports.ts';
import { type LineFile, openLineFile } from './files/line-file.ts';
import { writeLine } from './standard-streams.ts';

type Chosen = Pick<Settings, 'auditLog' | 'auditLogPath'>;

/** Writes one line to stdout. */
export function stdoutLine(text: string): void {
  writeLine(process.stdout, text, process.stderr);
}

/** Where audit records go as lines. */
export interface AuditLines {
  /** Null where records are written nowhere as lines. */
  readonly write: ((line: string) => void) | null;
  /** Opens the file of `TGEFD_AUDIT_LOG_PATH` anew. */
  reopen(): void;
  /** Lines that the file did not take, since the start. */
  lost(): number;
}

/** Lines to stdout, to the file of `TGEFD_AUDIT_LOG_PATH`, to both, or to neither. */
export function auditLinesOf({ auditLog, auditLogPath }: Chosen, log: Log): AuditLines {
  const opened = auditLogPath === null ? null : openLineFile(auditLogPath, log);
  // Whoever starts has looked before: what fails here fails between the two.
  if (opened !== null && 'problem' in opened) log('error', 'audit_log_failed', { error: opened.problem });
  const file: LineFile | null = opened !== null && 'write' in opened ? opened : null;
  const write = (line: string) => {
    if (auditLog) stdoutLine(line);
    file?.write(line);
  };
  return {
    write: auditLog || file !== null ? write : null,
    reopen: () => file?.reopen(),
    lost: () => file?.lost() ?? 0,
  };
}

/** Why the file of `TGEFD_AUDIT_LOG_PATH` cannot be written. Makes no file. */
export function auditLogProblems({ auditLogPath }: Pick<Settings, 'auditLogPath'>): readonly Problem[] {
  if (auditLogPath === null) return [];
  const problem = (found: string): readonly Problem[] => [
    { variable: variables.auditLogPath.name, found, accepted: 'the path of a file that this process may write' },
  ];
  try {
    if (statSync(auditLogPath).isDirectory()) return problem('a folder');
    accessSync(auditLogPath, constants.W_OK);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return problem(`a file that cannot be written (${code ?? 'unknown'})`);
  }
  try {
    accessSync(dirname(auditLogPath), constants.W_OK);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return problem(`a file in a folder that cannot be written (${code ?? 'unknown'})`);
  }
}
