/** Content type of the text exposition format that `render` writes. */
export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What stands for a label value that no list names: a series of its own would let a caller grow the registry. */
export const OTHER = 'other';

/** Upper bounds, in seconds, of a histogram of decision stages: from a cached decision (microseconds) to a slow issuer. */
export const STAGE_BUCKETS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

/** Label names, each with the closed list of its values; any other value is counted as `other`. */
export type LabelLists = Readonly<Record<string, readonly string[]>>;

export type LabelValues<L extends LabelLists> = Readonly<Record<keyof L, string>>;

export interface Counter<L extends LabelLists> {
  /** Adds a finite amount of zero or more; anything else is left out, for a counter never goes down. */
  add(labels: LabelValues<L>, amount?: number): void;
}

export interface Histogram<L extends LabelLists> {
  /** Counts one observation; one that is not a finite number is left out. */
  observe(labels: LabelValues<L>, value: number): void;
}

/**
 * A registry of one process or isolate: plain numbers, no clock, no I/O, hence legal in the module scope of a Worker. A
 * scrape of a Worker sees one isolate, not the sum of all.
 */
export interface Metrics {
  counter<const L extends LabelLists>(name: string, help: string, labels: L): Counter<L>;
  /** `buckets`: upper bounds in ascending order, without +Inf. */
  histogram<const L extends LabelLists>(
    name: string,
    help: string,
    labels: L,
    buckets: readonly number[],
  ): Histogram<L>;
  /** A value read when the page is written; null leaves the series out. `read` must not throw. */
  gauge(name: string, help: string, read: () => number | null): void;
  /** As a gauge, for a count that something else keeps and that never goes down. */
  counterOf(name: string, help: string, read: () => number | null): void;
  /** An empty registry whose counters and histograms go on from here wherever name and labels are the same. */
  next(): Metrics;
  /** The whole registry in Prometheus text exposition format 0.0.4. */
  render(): string;
}

type Family = { readonly name: string; readonly head: string; lines(): string[] };

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)(?!le$)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Makes an empty registry. Registering a name twice, or one that the format does not allow, throws a RangeError. */
export function createMetrics(): Metrics {
  return registry(new Map());
}

interface Cell {
  /** Observations in each bucket; none for a counter. */
  readonly counts: number[];
  count: number;
  sum: number;
}

function registry(kept: Map<string, Series>): Metrics {
  const families: Family[] = [];
  const keep = (name: string, labels: LabelLists, buckets: readonly number[]): Series => {
    const key = JSON.stringify([name, labels, buckets]);
    const series = kept.get(key) ?? createSeries(labels, () => ({ counts: buckets.map(() => 0), count: 0, sum: 0 }));
    kept.set(key, series);
    return series;
  };

  const register = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string, lines: () => string[]) => {
    if (!METRIC_NAME.test(name)) throw new RangeError(`not a metric name: ${name}`);
    if (families.some((family) => family.name === name)) throw new RangeError(`metric registered twice: ${name}`);
    families.push({ name, head: `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}`, lines });
  };

  const read = (name: string, value: () => number | null) => () => {
    const now = value();
    return now === null ? [] : [`${name} ${formatNumber(now)}`];
  };

  return {
    counter(name, help, labels) {
      const series = keep(name, labels, []);
      register(name, 'counter', help, () =>
        series.all().map(([text, cell]) => `${name}${braces(text)} ${formatNumber(cell.sum)}`),
      );
      return {
        add(values, amount = 1) {
          if (amount >= 0 && Number.isFinite(amount)) series.cell(values).sum += amount;
        },
      };
    },

    histogram(name, help, labels, buckets) {
      if (buckets.some((bound, at) => !Number.isFinite(bound) || (at > 0 && bound <= (buckets[at - 1] ?? 0)))) {
        throw new RangeError(`buckets of ${name} are not finite and ascending`);
      }
      const series = keep(name, labels, buckets);
      register(name, 'histogram', help, () =>
        series.all().flatMap(([text, cell]) => histogramLines(name, buckets, text, cell)),
      );
      return {
        observe(values, value) {
          if (Number.isFinite(value)) count(series.cell(values), buckets, value);
        },
      };
    },

    gauge: (name, help, value) => register(name, 'gauge', help, read(name, value)),
    counterOf: (name, help, value) => register(name, 'counter', help, read(name, value)),
    next: () => registry(kept),
    render: () => families.map(({ head, lines }) => `${[head, ...lines()].join('\n')}\n`).join(''),
  };
}

function count(cell: Cell, buckets: readonly number[], value: number): void {
  cell.count += 1;
  cell.sum += value;
  const at = buckets.findIndex((upper) => value <= upper);
  if (at >= 0) cell.counts[at] = (cell.counts[at] ?? 0) + 1;
}

function histogramLines(name: string, buckets: readonly number[], text: string, cell: Cell): string[] {
  let below = 0;
  const bound = (le: string) => braces(text === '' ? `le="${le}"` : `${text},le="${le}"`);
  return [
    ...buckets.map((upper, at) => {
      below += cell.counts[at] ?? 0;
      return `${name}_bucket${bound(formatNumber(upper))} ${below}`;
    }),
    `${name}_bucket${bound('+Inf')} ${cell.count}`,
    `${name}_sum${braces(text)} ${formatNumber(cell.sum)}`,
    `${name}_count${braces(text)} ${cell.count}`,
  ];
}

type Values = Readonly<Record<string, string>>;

interface Series {
  cell(values: Values): Cell;
  all(): (readonly [string, Cell])[];
}

/** The cells of one metric, found by label values; made on first use, never more than the lists allow. */
function createSeries(labels: LabelLists, empty: () => Cell): Series {
  const lists = Object.entries(labels).map(([name, values]) => {
    if (!LABEL_NAME.test(name)) throw new RangeError(`not a label name: ${name}`);
    const distinct = [...new Set(values)];
    return {
      name,
      at: new Map(distinct.map((value, at) => [value, at])),
      size: distinct.length + 1,
    };
  });
  const textOf = (values: Values) =>
    lists
      .map(({ name, at }) => {
        const value = values[name] ?? OTHER;
        return `${name}="${at.has(value) ? escapeLabel(value) : OTHER}"`;
      })
      .join(',');
  const cells = new Map<number, readonly [string, Cell]>();
  return {
    cell(values) {
      // The place of each value in its list, as the digits of one number: no text is built on the way of a decision.
      let index = 0;
      for (const { name, at, size } of lists) index = index * size + (at.get(values[name] ?? OTHER) ?? size - 1);
      const known = cells.get(index);
      if (known !== undefined) return known[1];
      const cell = empty();
      cells.set(index, [textOf(values), cell]);
      return cell;
    },
    all: () => [...cells.values()],
  };
}

function braces(text: string) {
  return text === '' ? '' : `{${text}}`;
}

function escapeHelp(text: string) {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string) {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}
