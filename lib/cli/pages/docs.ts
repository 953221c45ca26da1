import { readFile, writeFile } from 'node:fs/promises';
import { eventIssuersPage } from '../../config/events/reference.ts';
import { issuersPage, providersPage } from '../../config/issuers/reference.ts';
import { policySchemaPage } from '../../config/policy/policy-schema.ts';
import { configurationPage } from '../../config/reference.ts';
import { type Command, command, type Group } from '../command.ts';
import { answersPage } from './answers.ts';
import { cliPage } from './cli.ts';
import { metricsPage } from './metrics.ts';
import { ownEndpointsPage } from './own-endpoints.ts';
import { recordsPage } from './records.ts';

/** Pages that are written from the code, by their path. */
const pages: Readonly<Record<string, (program: Group) => string>> = {
  'docs/reference/cli.md': cliPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/answers.md': answersPage,
  'docs/reference/metrics.md': () => metricsPage(),
  'docs/reference/own-endpoints.md': ownEndpointsPage,
  'docs/reference/records.md': recordsPage,
  'docs/reference/event-issuers.md': eventIssuersPage,
  'docs/reference/issuers.md': issuersPage,
  'docs/reference/providers.md': providersPage,
  'docs/reference/policy.schema.json': policySchemaPage,
};

/** The command that writes the generated pages, that of the program's commands too. */
export function docsOf(program: () => Group): Command {
  return command({
    summary: 'Writes the generated pages of docs/, or checks that they are not stale.',
    options: { check: { type: 'boolean', means: 'Writes nothing, and names what is stale.' } },
    examples: [{ line: 'docs --check', does: 'Ends with 1 when a page is stale. For contributors, in a checkout.' }],
    json: 'An object: `written` or `stale`, lists of paths.',
    exits: { no: 'A page is stale.' },
    async run({ check }, console) {
      const stale: string[] = [];
      for (const [path, page] of Object.entries(pages)) {
        const text = page(program());
        if (!check) await writeFile(path, text);
        else if ((await readFile(path, 'utf8').catch(() => '')) !== text) stale.push(path);
      }
      console.answer(check ? { stale } : { written: Object.keys(pages) });
      for (const path of stale) console.err(`${path} is stale: run npm run docs`);
      return stale.length === 0 ? 0 : 1;
    },
  });
}
