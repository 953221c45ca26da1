import { readFile } from 'node:fs/promises';

/*
 * Writes a text under a pull request, or changes the comment that an earlier run wrote: `comment.ts FILE NAME`. The name tells
 * comments of one pull request apart. Whatever goes wrong is a warning: the check itself does not depend on it.
 */

const LONGEST_TEXT = 60_000;
const MOST_PAGES = 10;

const [path = '', name = ''] = process.argv.slice(2);
const { GITHUB_API_URL: api = '', GITHUB_REPOSITORY: repository = '', PULL_REQUEST: number = '' } = process.env;

interface Comment {
  readonly id: number;
  readonly body?: string;
}

async function call(method: string, place: string, body?: object): Promise<unknown> {
  const response = await fetch(`${api}/repos/${repository}/${place}`, {
    method,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${process.env.COMMENT_TOKEN}`,
      'x-github-api-version': '2022-11-28',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw new Error(`${method} ${place} answered ${response.status}`);
  return response.json();
}

/** The comment that carries the marker, or null. */
async function earlier(marker: string): Promise<Comment | null> {
  for (let page = 1; page <= MOST_PAGES; page++) {
    const comments = (await call('GET', `issues/${number}/comments?per_page=100&page=${page}`)) as readonly Comment[];
    const found = comments.find(({ body }) => body?.startsWith(marker));
    if (found !== undefined || comments.length < 100) return found ?? null;
  }
  return null;
}

async function write(): Promise<void> {
  if (!/^\d+$/.test(number)) throw new Error('this run belongs to no pull request');
  const marker = `<!-- edge-authorizer ${name.replace(/[^\w./ -]/g, '_')} -->`;
  const text = await readFile(path, 'utf8');
  const rest = text.length > LONGEST_TEXT ? '\n\nCut: the summary of the job has all of it.' : '';
  const body = `${marker}\n${text.slice(0, LONGEST_TEXT)}${rest}`;
  const before = await earlier(marker);
  if (before === null) await call('POST', `issues/${number}/comments`, { body });
  else await call('PATCH', `issues/comments/${before.id}`, { body });
}

await write().catch((error: unknown) => {
  process.stdout.write(`::warning::no comment was written: ${error instanceof Error ? error.message : 'unknown'}\n`);
});
