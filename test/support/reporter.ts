import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/**
 * Ends a run with what was skipped and why, and with one plain line: `N passed, N failed, N skipped`.
 * A file that cannot be loaded and an error outside any test count as failed.
 */
export const plainReporter: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const suites = modules.flatMap((module) => [...module.children.allSuites()]);
    const broken = [...modules, ...suites].reduce(
      (count, part) => count + part.errors().length,
      unhandledErrors.length,
    );
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const skipped = new Set(tests.filter((test) => test.result().state === 'skipped').map(describeSkip));
    const lines = [...skipped].map((line) => `skipped: ${line}`);
    // The default reporter has printed its summary by then.
    setImmediate(() => {
      for (const line of lines) console.log(line);
      console.log(`${count('passed')} passed, ${count('failed') + broken} failed, ${count('skipped')} skipped`);
    });
  },
};

/** The outermost suite that was skipped as a whole, else the test itself with the note it gave. */
function describeSkip(test: TestCase): string {
  let whole: TestSuite | null = null;
  for (let parent = test.parent; parent.type === 'suite'; parent = parent.parent) {
    if (parent.options.mode === 'skip') whole = parent;
  }
  const result = test.result();
  const note = result.state === 'skipped' && result.note !== undefined ? ` (${result.note})` : '';
  return `${test.module.relativeModuleId} > ${whole === null ? `${test.fullName}${note}` : whole.fullName}`;
}
