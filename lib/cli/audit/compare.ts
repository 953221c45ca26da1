import { open } from 'node:fs/promises';
import { isWithin, type Period, type Query, searchArchive } from '../../verify/query.ts';
import { command, Failure, Unusable } from '../command.ts';
import { counted } from '../line/text.ts';
import { instant, openArchive, periodOptions, placeOptions, progressTo, readJson } from './parts.ts';

const everything: Omit<Query, keyof Period> = {
  identities: null,
  addresses: null,
  action: null,
  outcome: null,
  requestId: null,
  keyId: null,
};

export const compare = command({
  summary: 'Compares the archive with other decision ids: the record lines of a process, or the log of a service.',
  options: {
    ids: {
      type: 'string',
      value: 'FILE',
      required: true,
      means: 'File with one decision id on each line, or with record lines (TGEFD_AUDIT_LOG).',
    },
    subset: { type: 'boolean', means: 'The file may lack decisions.' },
    ...periodOptions,
    ...placeOptions,
  },
  examples: [
    {
      line: 'audit compare --ids door.log --from 24h',
      does: 'Names what is in the log only, and what is in the archive only.',
    },
  ],
  json: 'An object: `records`, `records_without_line` and `lines_without_record` (lists of decision ids), `damaged`.',
  exits: { yes: 'Both hold the same.', no: 'They differ, or a part of the archive could not be searched.' },
  async run(values, console) {
    const nowMs = Date.now();
    const period = { fromMs: instant('from', values.from, nowMs), toMs: instant('to', values.to, nowMs) };
    const written = await idsIn(values.ids, period);
    if (written.size === 0)
      throw new Failure(
        'input_invalid',
        `no decision id of that time in ${values.ids}: there is nothing to compare with`,
      );
    const archive = await openArchive(values, console);
    let [records, damaged] = [0, 0];
    const unwritten: string[] = [];
    const progress = progressTo(console, 'batch', 'searched');
    for await (const found of searchArchive({ ...everything, ...period }, archive, progress)) {
      if (found.found === 'damage') {
        damaged++;
        console.err(`not searched: ${found.key}: ${found.why} (audit verify tells more)`);
        continue;
      }
      records++;
      const { id } = found.record;
      if (written.delete(id) || values.subset) continue;
      unwritten.push(id);
      console.out(`record without a line  ${id}`);
    }
    for (const id of written) console.out(`line without a record  ${id}`);
    console.answer({ records, records_without_line: unwritten, lines_without_record: [...written], damaged });
    const missing = counted(written.size, 'line without a record', 'lines without a record');
    console.err(`${counted(records, 'record')}, ${unwritten.length} without a line, ${missing}`);
    return damaged + unwritten.length + written.size === 0 ? 0 : 1;
  },
});

/** Every decision id of the period that a file speaks of; the file may be longer than memory. */
async function idsIn(path: string, period: Period): Promise<Set<string>> {
  const file = await open(path).catch(() => {
    throw new Unusable(`--ids: ${path} cannot be read`);
  });
  const ids = new Set<string>();
  for await (const line of file.readLines()) for (const id of idIn(line, period)) ids.add(id);
  return ids;
}

/** The decision id that a line speaks of: a record of the period, or the id alone. Other lines of a log are none. */
function idIn(line: string, period: Period): readonly string[] {
  if (!line.startsWith('{')) return /^[A-Za-z0-9._-]{1,160}$/.test(line.trim()) ? [line.trim()] : [];
  const parsed = readJson(line);
  if (typeof parsed !== 'object' || parsed === null || !('type' in parsed) || parsed.type !== 'audit') return [];
  const [id, ts] = ['id' in parsed ? parsed.id : null, 'ts' in parsed ? String(parsed.ts) : ''];
  return typeof id === 'string' && isWithin(period, ts) ? [id] : [];
}
