import { sleep } from '../../codec/sleep.ts';
import type { CredentialKind } from '../../decision/principal.ts';
import { CREDENTIAL_METRIC } from '../../observe/credentials.ts';
import { Failure, type Output, Usage } from '../command.ts';

export interface Uses {
  readonly current: number;
  readonly previous: number;
}

const MAXIMUM_PAGE_BYTES = 8 * 1024 * 1024;
const TIMEOUT_MS = 5_000;

/** How often the two values of a kind were used, by a metrics page in the text format. */
export function usesIn(page: string, kind: CredentialKind): Uses {
  const of = (slot: keyof Uses): number => {
    const line = page
      .split('\n')
      .find((each) => each.startsWith(`${CREDENTIAL_METRIC}{kind="${kind}",slot="${slot}"} `));
    return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  return { current: of('current'), previous: of('previous') };
}

/** Uses between two readings of one instance; counts that fell were begun anew by a restart. */
export function usesBetween(before: Uses, after: Uses): Uses {
  const grown = (slot: keyof Uses) => (after[slot] >= before[slot] ? after[slot] - before[slot] : after[slot]);
  return { current: grown('current'), previous: grown('previous') };
}

/**
 * Reads every page twice, so many seconds apart, and adds up.
 *
 * @throws Failure where a page cannot be read.
 */
export async function usesOfSecret(
  kind: CredentialKind,
  urls: readonly string[],
  seconds: number,
  console: Output,
): Promise<Uses> {
  const read = async (): Promise<readonly Uses[]> => {
    const pages = await Promise.all(urls.map(pageAt));
    const unread = urls.filter((_, index) => pages[index] === null);
    if (unread.length > 0) throw new Failure('unavailable', `no metrics page can be read at ${unread.join(', ')}`);
    return pages.map((page) => usesIn(page ?? '', kind));
  };
  const before = await read();
  console.progress(`counting uses for ${seconds} s`);
  await sleep(seconds * 1000);
  const differences = (await read()).map((uses, index) => usesBetween(before[index] ?? uses, uses));
  return {
    current: differences.reduce((sum, { current }) => sum + current, 0),
    previous: differences.reduce((sum, { previous }) => sum + previous, 0),
  };
}

/** What stands at a URL; null where that cannot be read, or is no metrics page of ours: it would count nothing. */
async function pageAt(url: string): Promise<string | null> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Usage(`--metrics ${url} is no URL`);
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null);
  const text = answer?.status === 200 ? await answer.text().catch(() => null) : null;
  return text?.includes(CREDENTIAL_METRIC) && text.length <= MAXIMUM_PAGE_BYTES ? text : null;
}
