import { commandGroup } from '../command.ts';
import { diff } from './diff.ts';
import { hash } from './hash.ts';
import { importOpenApi } from './import.ts';
import { lintPolicy } from './lint.ts';
import { shadow } from './shadow.ts';
import { testPolicy } from './test.ts';

export const policy = commandGroup('policy', 'imports, checks, tests and compares policy documents', {
  import: importOpenApi,
  lint: lintPolicy,
  test: testPolicy,
  diff,
  hash,
  shadow,
});
