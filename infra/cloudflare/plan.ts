/** One thing to be done, and the call that does it. */
export interface Step {
  readonly what: string;
  readonly run: (() => Promise<void>) | null;
}

/** Where the lines of a run go, and whether it may change anything. */
export interface Run {
  readonly apply: boolean;
  out(line: string): void;
}

/** Counts of a run, for its last line. */
export interface Outcome {
  done: number;
  kept: number;
  left: number;
}

/** Says that something is already as it should be. */
export function kept(run: Run, outcome: Outcome, what: string): void {
  outcome.kept++;
  run.out(`  ok      ${what}`);
}

/** Does a step, or in a dry run says that it would. A step without a call is left to a human. */
export async function perform(run: Run, outcome: Outcome, { what, run: call }: Step): Promise<void> {
  if (call === null) {
    outcome.left++;
    run.out(`  by hand ${what}`);
    return;
  }
  outcome.done++;
  if (!run.apply) {
    run.out(`  would   ${what}`);
    return;
  }
  await call();
  run.out(`  done    ${what}`);
}
