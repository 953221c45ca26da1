import { isDeepStrictEqual } from 'node:util';
import { loadThroughNginx } from './load-nginx.ts';

/** The load test by hand: prints how it went. Gives whether every answer was owed and every decision recorded. */
export async function runLoad(requests: number, print: (line: string) => void): Promise<boolean> {
  const report = await loadThroughNginx(requests);
  const { hostile, seconds, p50, p99, slowest, errors, outages, decided, recorded } = report;
  const { liveHeapMiB: heap, residentMiB: resident } = report;
  const counted = (told: readonly string[]) =>
    [...new Set(told)].map((one) => `  ${told.filter((other) => other === one).length} × ${one}`);
  print(
    `${requests} requests, ${hostile} of them hostile, in ${seconds.toFixed(1)} s (${Math.round(requests / seconds)} a second)`,
  );
  print(`honest requests: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`);
  print(
    `told to the hostile: ${Object.entries(report.denials)
      .map(([told, count]) => `${count} × ${told}`)
      .join(', ')}`,
  );
  print(`decisions: ${decided}, records in the outbox: ${recorded}`);
  const { planted, found } = report.differences;
  for (const name of new Set([...Object.keys(planted), ...Object.keys(found)]))
    print(`shadow: ${name}: planted ${planted[name] ?? 0}, found ${found[name] ?? 0}`);
  print(`live heap of the door: ${heap.settled.toFixed(1)} MiB after a fifth, ${heap.last.toFixed(1)} at the end`);
  print(
    `resident memory of the door: ${resident.settled.toFixed(0)} MiB in the second fifth, ${resident.last.toFixed(0)} in the last, highest ${resident.highest.toFixed(0)}`,
  );
  print(outages.length === 0 ? 'no outage' : `${outages.length} requests were told of an outage:`);
  for (const line of counted(outages)) print(line);
  print(errors.length === 0 ? 'no answer that nobody owed' : `${errors.length} answers that nobody owed:`);
  for (const line of counted(errors).slice(0, 20)) print(line);
  return errors.length === 0 && decided === recorded && isDeepStrictEqual(planted, found);
}
