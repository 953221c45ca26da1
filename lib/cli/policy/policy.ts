import type { Group } from '../command.ts';
import { diff } from './diff.ts';
import { hash } from './hash.ts';
import { importOpenApi } from './import.ts';
import { lintPolicy } from './lint.ts';
import { shadow } from './shadow.ts';
import { testPolicy } from './test.ts';

export const policy: Group = {
  summary: 'Imports, checks, tests and compares policy documents.',
  commands: { import: importOpenApi, lint: lintPolicy, test: testPolicy, diff, hash, shadow },
};
