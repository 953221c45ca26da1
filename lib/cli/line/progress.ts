import type { Progress, Terminal } from './output.ts';

/** From when a command that is still at work says so. */
const SILENT_MS = 1_000;
const REPAINT_MS = 250;

/** The progress of one command, to be ended with it. */
export interface RunningProgress extends Progress {
  end(): void;
}

/**
 * Shows on a terminal what a command is doing and for how long, from the second second on. Shows nothing elsewhere.
 *
 * @param label - what is shown until the command says more.
 */
export function createProgress(terminal: Terminal | undefined, label: string): RunningProgress {
  if (!terminal?.isErrTerminal) return { show: () => undefined, end: () => undefined };
  const beganMs = performance.now();
  let [text, paintedMs, isShown] = [label, beganMs, false];
  const paint = () => {
    const nowMs = performance.now();
    if (text === '' || nowMs - beganMs < SILENT_MS || nowMs - paintedMs < REPAINT_MS) return;
    paintedMs = nowMs;
    isShown = true;
    terminal.status(`${text} (${Math.floor((nowMs - beganMs) / 1000)} s)`);
  };
  const timer = setInterval(paint, REPAINT_MS * 2);
  timer.unref();
  return {
    show(next) {
      text = next;
      paint();
    },
    end() {
      clearInterval(timer);
      if (isShown) terminal.status('');
    },
  };
}
