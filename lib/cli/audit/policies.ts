import { type Command, options } from '../command.ts';
import { readRecords } from './search.ts';

/** One set of rules and one build, with the time in which records name them. */
interface Period {
  readonly policy: string | null;
  readonly build: string | null;
  decisions: number;
  first: string;
  last: string;
}

export const policies: Command = {
  summary: 'lists which rules and which code decided, and when',
  usage: 'audit policies [--from TIME] [--to TIME] [--json]',
  async run(args, console) {
    const { values } = options(args, {
      from: { type: 'string' },
      to: { type: 'string' },
      json: { type: 'boolean', default: false },
    });
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
    if (values.json) console.out(JSON.stringify({ policies: sorted }));
    else
      for (const { policy, build, decisions, first, last } of sorted)
        console.out(
          `${policy ?? '(before version 2)'.padEnd(32)}  ${build ?? ''}  ${first} to ${last}  ${decisions} decisions`,
        );
    return status;
  },
};
