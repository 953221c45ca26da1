import { command } from '../command.ts';
import { counted } from '../line/text.ts';
import { periodOptions } from './parts.ts';
import { readRecords } from './search.ts';

/** One set of rules and one build, with the time in which records name them. */
interface Period {
  readonly policy: string | null;
  readonly build: string | null;
  decisions: number;
  first: string;
  last: string;
}

export const policies = command({
  summary: 'Lists which policies and builds decided, and when.',
  options: periodOptions,
  examples: [{ line: 'audit policies --from 30d', does: 'Lists every policy and build of the last 30 days.' }],
  json: 'An object: `policies`, each with `policy`, `build`, `decisions`, `first` and `last`.',
  exits: { no: 'A part of the archive could not be searched.' },
  async run(values, console) {
    const periods = new Map<string, Period>();
    const status = await readRecords(values, console, ({ policy = null, build = null, ts }) => {
      const key = `${policy} ${build}`;
      const known = periods.get(key);
      if (known === undefined) periods.set(key, { policy, build, decisions: 1, first: ts, last: ts });
      else {
        known.decisions++;
        if (ts < known.first) known.first = ts;
        if (ts > known.last) known.last = ts;
      }
    });
    const sorted = [...periods.values()].sort((a, b) => (a.first < b.first ? -1 : 1));
    console.answer({ policies: sorted });
    console.table(
      ['POLICY', 'BUILD', 'TIME', 'DECISIONS'],
      sorted.map(({ policy, build, decisions, first, last }) => [
        policy ?? '(before version 2)',
        build ?? '',
        `${first} to ${last}`,
        counted(decisions, 'decision'),
      ]),
    );
    return status;
  },
});
