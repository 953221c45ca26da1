import { type Line, unpackBatch } from '../archive/batch.ts';
import type { Manifest } from '../archive/manifest.ts';
import { compareIds } from '../audit/outbox.ts';
import type { Findings } from './findings.ts';

interface At {
  readonly writer: string;
  readonly sequence: number;
  readonly key: string;
}

/** Checks a batch against its manifest; gives the number of records it holds. */
export async function checkBatch(
  manifest: Manifest,
  bytes: Uint8Array<ArrayBuffer>,
  isAsSigned: boolean,
  findings: Findings,
): Promise<number> {
  const { writer, sequence, object } = manifest;
  const at = { writer, sequence, key: object.key };
  if (!isAsSigned) findings.add('batch_altered', at, `SHA-256 or size differ from the manifest’s`);
  const lines = await unpackBatch(bytes);
  if (lines === null) {
    findings.add(
      isAsSigned ? 'batch_altered' : 'record_missing',
      at,
      'cannot be read; its records cannot be told apart',
    );
    return 0;
  }
  checkNumbers(lines, manifest, at, findings);
  checkOrder(lines, manifest, at, findings);
  return lines.length;
}

/** Numbers 1 to n, each once. */
function checkNumbers(lines: readonly Line[], manifest: Manifest, at: At, findings: Findings): void {
  const present = new Set(lines.map(({ n }) => n));
  for (let n = 1; n <= manifest.object.records; n++) {
    if (present.has(n)) continue;
    const next = lines.find((line) => line.n > n);
    findings.add('record_missing', at, next === undefined ? `record ${n}` : `record ${n}, before ${next.streamId}`);
  }
  if (lines.length > manifest.object.records) {
    findings.add('batch_altered', at, `${lines.length} records where ${manifest.object.records} were signed`);
  }
}

/** Late entries first, then the others after `after_stream_id`, each group ascending. */
function checkOrder(lines: readonly Line[], manifest: Manifest, at: At, findings: Findings): void {
  let previous: Line | null = null;
  for (const [place, line] of lines.entries()) {
    const lower = place < manifest.late ? null : (manifest.after_stream_id ?? null);
    const isGroupStart = place === 0 || place === manifest.late;
    const ascends = isGroupStart || previous === null || compareIds(previous.streamId, line.streamId) < 0;
    const inRange = lower === null || compareIds(lower, line.streamId) < 0;
    const numbered = previous === null || previous.n < line.n;
    if (!ascends || !inRange || !numbered) findings.add('record_misplaced', at, `record ${line.n}, ${line.streamId}`);
    previous = line;
  }
}
