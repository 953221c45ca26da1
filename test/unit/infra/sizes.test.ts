import { expect, test } from 'vitest';
import { tooLarge } from '../../../infra/lint/sizes.ts';

const folder = (length: number) => Array.from({ length }, (_, n) => ({ path: `lib/codec/part-${n}.ts`, lines: 1 }));

test.each([
  { what: 'a file of 250 lines', files: [{ path: 'lib/codec/ulid.ts', lines: 250 }], faults: [] },
  {
    what: 'a file of 251 lines',
    files: [{ path: 'infra/build.ts', lines: 251 }],
    faults: ['infra/build.ts: 251 lines, at most 250: give a part a file of its own'],
  },
  { what: 'an entry of 60 lines', files: [{ path: 'functions/cli.ts', lines: 60 }], faults: [] },
  {
    what: 'an entry of 61 lines',
    files: [{ path: 'functions/cli.ts', lines: 61 }],
    faults: ['functions/cli.ts: 61 lines, at most 60: move the work into lib/adapter or lib/platform'],
  },
  { what: 'a folder of 14 files', files: folder(14), faults: [] },
  {
    what: 'a folder of 15 files',
    files: folder(15),
    faults: ['lib/codec: 15 files, at most 14: put what belongs together into a folder'],
  },
  {
    what: 'a folder of 15 files outside lib/',
    files: folder(15).map(({ path, lines }) => ({ path: path.replace('lib', 'infra'), lines })),
    faults: [],
  },
])('$what gives the faults $faults', ({ files, faults }) => {
  expect(tooLarge(files)).toEqual(faults);
});
