import { readFile, writeFile } from 'node:fs/promises';
import { eventIssuersPage } from '../../config/events/reference.ts';
import { issuersPage, providersPage } from '../../config/issuers/reference.ts';
import { policySchemaPage } from '../../config/policy/policy-schema.ts';
import { configurationPage } from '../../config/reference.ts';
import { type Command, options } from '../command.ts';
import { answersPage } from './answers.ts';
import { metricsPage } from './metrics.ts';
import { ownEndpointsPage } from './own-endpoints.ts';
import { recordsPage } from './records.ts';

/** Pages that are written from the code, by their path. */
const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/answers.md': answersPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/own-endpoints.md': ownEndpointsPage,
  'docs/reference/records.md': recordsPage,
  'docs/reference/event-issuers.md': eventIssuersPage,
  'docs/reference/issuers.md': issuersPage,
  'docs/reference/providers.md': providersPage,
  'docs/reference/policy.schema.json': policySchemaPage,
};

export const docs: Command = {
  summary: 'writes the generated pages of docs/, or checks that they are not stale',
  usage: 'docs [--check]',
  async run(args, console) {
    const { values } = options(args, { check: { type: 'boolean', default: false } });
    let stale = 0;
    for (const [path, page] of Object.entries(pages)) {
      const text = page();
      if (!values.check) {
        await writeFile(path, text);
        continue;
      }
      const current = await readFile(path, 'utf8').catch(() => '');
      if (current === text) continue;
      stale++;
      console.err(`${path} is stale: run npm run docs`);
    }
    return stale === 0 ? 0 : 1;
  },
};
