import { watchOthers } from './pinned.ts';

/** hot: 64 tokens at random; cold: every token is new to the row. */
export type Kind = 'hot' | 'cold';

export interface Measured {
  readonly operations: number;
  readonly micros: number;
  /** Median latency in microseconds, where somebody waited for an answer. */
  readonly p50Micros?: number;
}

/** One thing that is measured. */
export interface Row {
  readonly name: string;
  /** Which of the bad tokens it lets through: it is compared only where none. */
  accepts(bad: Readonly<Record<string, string>>): Promise<string[]>;
  /** Uses exactly these tokens, in this order, and gives what that cost. Throws when it refuses one. */
  measure(tokens: readonly string[]): Promise<Measured>;
  stop(): Promise<void>;
}

/** What a ratio should come to at most. */
export interface Aim {
  readonly row: string;
  readonly of: string;
  readonly kind: Kind;
  readonly atMost: number | null;
  readonly latency?: true;
  /** Not the ratio, but the microseconds that the row costs more than the other. */
  readonly added?: true;
}

export interface Plan {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly aims: readonly Aim[];
  /** Why rows that belong here are not. */
  readonly skipped: readonly string[];
  readonly rounds: number;
  readonly operations: Readonly<Record<Kind, number>>;
  /** Operations that go before each measurement and do not count, where what a row holds depends on its demand. */
  readonly leadIn?: number;
}

export interface Tokens {
  readonly bad: Readonly<Record<string, string>>;
  readonly hot: readonly string[];
  fresh(count: number): readonly string[];
}

type Series = Map<string, Measured[]>;

/** Rounds before those that count, for compilers to settle. */
const WARMING_ROUNDS = 2;

/**
 * Measures the rows of a plan in turn, round after round, so that whatever else the machine does meets all of them alike,
 * and prints medians, and ratios as medians of the rounds' own ratios. A row that accepts a bad token is named and not compared.
 * Gives false, and prints no ratio, where other processes used too much of the machine meanwhile.
 */
export async function run(plan: Plan, tokens: Tokens, print: (line: string) => void): Promise<boolean> {
  print(`\n## ${plan.title}\n`);
  const honest: Row[] = [];
  for (const row of plan.rows) {
    const accepted = await row.accepts(tokens.bad);
    if (accepted.length === 0) honest.push(row);
    else print(`not compared: ${row.name} accepts a token that is ${accepted.join(', ')}`);
  }
  for (const reason of plan.skipped) print(`skipped: ${reason}`);

  const others = watchOthers();
  const series: Record<Kind, Series> = { hot: new Map(), cold: new Map() };
  for (let round = -WARMING_ROUNDS; round < plan.rounds; round++) {
    for (const kind of ['hot', 'cold'] as const) {
      const count = plan.operations[kind];
      if (count === 0) continue;
      const used = kind === 'hot' ? atRandom(tokens.hot, count, round) : tokens.fresh(count);
      // Every other round goes backwards, so that no row always follows the same one.
      for (const row of round % 2 === 0 ? honest : [...honest].reverse()) {
        if (plan.leadIn) await row.measure(used.slice(0, plan.leadIn));
        const measured = await row.measure(used);
        if (round >= 0) series[kind].set(row.name, [...(series[kind].get(row.name) ?? []), measured]);
      }
    }
  }

  const cost = ({ micros, operations }: Measured) => micros / operations;
  const told = (name: string, kind: Kind, of: (measured: Measured) => number | undefined) => {
    const values = (series[kind].get(name) ?? []).map(of).filter((value) => value !== undefined);
    return values.length === 0 ? '' : median(values).toFixed(median(values) < 10 ? 2 : 1);
  };
  print('| CPU µs per operation | hot | cold | p50 hot, µs |\n|---|--:|--:|--:|');
  for (const { name } of honest) {
    print(
      `| ${name} | ${told(name, 'hot', cost)} | ${told(name, 'cold', cost)} | ${told(name, 'hot', (m) => m.p50Micros)} |`,
    );
  }
  const { share, isBusy } = others();
  print(`\nOther processes used ${(share * 100).toFixed(0)} % of one core meanwhile.`);
  if (isBusy) {
    print('The machine is too busy to compare anything: no ratios. Measure again when it is quiet.');
    return false;
  }
  printRatios(plan.aims, series, cost, print);
  return true;
}

function printRatios(
  aims: readonly Aim[],
  series: Record<Kind, Series>,
  cost: (measured: Measured) => number,
  print: (line: string) => void,
): void {
  print('\n| ratio | measured | spread | aim |\n|---|--:|--:|--:|');
  for (const { row, of, kind, atMost, latency, added } of aims) {
    const value = (measured: Measured) => (latency ? (measured.p50Micros ?? Number.NaN) : cost(measured));
    const own = series[kind].get(row)?.map(value) ?? [];
    const other = series[kind].get(of)?.map(value) ?? [];
    const ratios = own
      .map((one, round) => (added ? one - (other[round] ?? Number.NaN) : one / (other[round] ?? Number.NaN)))
      .sort((a, b) => a - b);
    if (ratios.length === 0 || other.length === 0) continue;
    const measured = median(ratios);
    const [low = 0, high = 0] = [ratios[0], ratios.at(-1)];
    const aim = atMost === null ? '' : `≤ ${atMost} ${measured <= atMost ? 'met' : 'MISSED'}`;
    const what = `${row} ${added ? 'less' : '÷'} ${of}, ${kind}${latency ? ', p50' : ''}${added ? ', µs' : ''}`;
    print(`| ${what} | ${measured.toFixed(2)} | ${low.toFixed(2)}–${high.toFixed(2)} | ${aim} |`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/** The same draw for every row of a round. */
function atRandom(tokens: readonly string[], count: number, seed: number): string[] {
  let state = (seed + 9) * 2_654_435_761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return tokens[Math.floor((state / 2 ** 32) * tokens.length)] ?? '';
  });
}
