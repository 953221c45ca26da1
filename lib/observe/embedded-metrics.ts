/** Units of CloudWatch that this product has a use for. */
export type EmbeddedUnit = 'Count' | 'Milliseconds' | 'Seconds' | 'None';

export interface EmbeddedMetrics {
  readonly namespace: string;
  readonly timestampMs: number;
  /** Dimension names and values: together they are one time series, so each value must come from a closed list. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** One value of each metric, or up to 100 of several events. */
  readonly metrics: Readonly<
    Record<string, { readonly unit: EmbeddedUnit; readonly value: number | readonly number[] }>
  >;
  /** Further members of the line that CloudWatch Logs keeps and does not count (request id, decision id). */
  readonly properties?: Readonly<Record<string, string | number | boolean | null>>;
}

const MAX_DIMENSIONS = 30;
const MAX_METRICS = 100;
const MAX_VALUES = 100;
const MAX_VALUE_CHARACTERS = 1024;

/**
 * One log line in the CloudWatch embedded metric format, from which CloudWatch Logs makes metrics without a call of ours.
 * An empty dimension value is written as `none`, for CloudWatch drops the whole line otherwise; a metric that is not a
 * finite number is left out. Throws a RangeError beyond the format's limits (30 dimensions, 100 metrics) or when a
 * name is used twice. Does not keep identities out: the caller hands in none.
 */
export function emfLine({ namespace, timestampMs, dimensions, metrics, properties = {} }: EmbeddedMetrics): string {
  const counted = Object.entries(metrics).filter(([, { value }]) => valuesOf(value).every(Number.isFinite));
  if (counted.some(([, { value }]) => valuesOf(value).length > MAX_VALUES)) throw new RangeError('too many values');
  const names = [...Object.keys(dimensions), ...counted.map(([name]) => name), ...Object.keys(properties)];
  if (Object.keys(dimensions).length > MAX_DIMENSIONS || counted.length > MAX_METRICS) {
    throw new RangeError('too many dimensions or metrics for one line');
  }
  if (new Set([...names, '_aws']).size !== names.length + 1) throw new RangeError('a member is named twice');
  return JSON.stringify({
    _aws: {
      Timestamp: Math.trunc(timestampMs),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimensions)],
          Metrics: counted.map(([name, { unit }]) => ({ Name: name, Unit: unit })),
        },
      ],
    },
    ...Object.fromEntries(Object.entries(dimensions).map(([name, value]) => [name, dimensionValue(value)])),
    ...Object.fromEntries(counted.map(([name, { value }]) => [name, value])),
    ...properties,
  });
}

function valuesOf(value: number | readonly number[]): readonly number[] {
  return typeof value === 'number' ? [value] : value;
}

function dimensionValue(value: string) {
  return value === '' ? 'none' : value.slice(0, MAX_VALUE_CHARACTERS);
}
