import type { Streams } from './output.ts';

const CLEAR_LINE = '\r\u001b[K';
const NARROWEST = 40;
const WIDEST = 120;

/** Where a process writes to: its two streams, and the terminal behind them if there is one. */
export function processStreams({ env, stdout, stderr }: Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr'>): Streams {
  let shown = false;
  const clear = () => {
    if (shown) stderr.write(CLEAR_LINE);
    shown = false;
  };
  const lineTo = (stream: NodeJS.WriteStream) => (line: string) => {
    clear();
    stream.write(`${line}\n`);
  };
  const columns = (stream: NodeJS.WriteStream) => Math.min(WIDEST, Math.max(NARROWEST, stream.columns || 80));
  return {
    env,
    out: lineTo(stdout),
    err: lineTo(stderr),
    terminal: {
      outColumns: stdout.isTTY ? columns(stdout) : null,
      isErrTerminal: stderr.isTTY === true,
      status(text) {
        clear();
        if (text === '') return;
        stderr.write(text.slice(0, columns(stderr) - 1));
        shown = true;
      },
    },
  };
}
