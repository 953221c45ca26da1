import { open } from 'node:fs/promises';
import { isWithin, type Period, type Query, searchArchive } from '../../verify/query.ts';
import { type Command, options, Usage } from '../command.ts';
import { instant, openArchive, PLACE_USAGE, placeOptions, progressTo, readJson } from './parts.ts';

const everything: Omit<Query, keyof Period> = {
  identities: null,
  addresses: null,
  action: null,
  outcome: null,
  requestId: null,
  keyId: null,
};

export const compare: Command = {
  summary:
    'holds the archive against decision ids that somebody else wrote down: record lines of a door, a service’s log',
  usage: `audit compare --ids FILE [--subset: FILE need not hold all] [--from TIME] [--to TIME] ${PLACE_USAGE}`,
  async run(args, console) {
    const { values } = options(args, {
      ...placeOptions,
      ids: { type: 'string' },
      subset: { type: 'boolean', default: false },
      from: { type: 'string' },
      to: { type: 'string' },
    });
    if (values.ids === undefined)
      throw new Usage('--ids is a file: decision ids, one a line, or record lines (TGEFD_AUDIT_LOG)');
    const nowMs = Date.now();
    const period = { fromMs: instant('from', values.from, nowMs), toMs: instant('to', values.to, nowMs) };
    const written = await idsIn(values.ids, period);
    if (written.size === 0) {
      console.err(`no decision id of that time in ${values.ids}: there is nothing to hold the archive against`);
      return 1;
    }
    const archive = await openArchive(values, console);
    if (archive === null) return 1;
    let [records, unwritten, damaged] = [0, 0, 0];
    for await (const found of searchArchive({ ...everything, ...period }, archive, progressTo(console, 'searched'))) {
      if (found.found === 'damage') {
        damaged++;
        console.err(`not searched: ${found.key}: ${found.why} (audit verify tells more)`);
        continue;
      }
      records++;
      const { id } = found.record;
      if (written.delete(id) || values.subset) continue;
      unwritten++;
      console.out(`record without a line  ${id}`);
    }
    for (const id of written) console.out(`line without a record  ${id}`);
    console.err(`${records} records, ${unwritten} without a line, ${written.size} lines without a record`);
    return damaged + unwritten + written.size === 0 ? 0 : 1;
  },
};

/** Every decision id of the period that a file speaks of; the file may be longer than memory. */
async function idsIn(path: string, period: Period): Promise<Set<string>> {
  const file = await open(path).catch(() => {
    throw new Usage(`--ids: ${path} cannot be read`);
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
