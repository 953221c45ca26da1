/** What a process holds. */
export interface Held {
  /** After a full collection. */
  readonly heapMiB: number;
  /** TCP connections, that of the inspector aside. */
  readonly sockets: number;
  readonly timers: number;
}

/** Looks into a Node process that listens with `--inspect` on `port`. */
export async function inspect(port: number): Promise<Held> {
  const list = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the inspector does not answer')), { once: true });
  });
  let id = 0;
  const call = <Result>(method: string, params: object = {}) =>
    new Promise<Result>((resolve) => {
      const mine = ++id;
      const listen = ({ data }: MessageEvent) => {
        const answer = JSON.parse(String(data));
        if (answer.id !== mine) return;
        socket.removeEventListener('message', listen);
        resolve(answer.result);
      };
      socket.addEventListener('message', listen);
      socket.send(JSON.stringify({ id: mine, method, params }));
    });
  await call('HeapProfiler.collectGarbage');
  const { usedSize } = await call<{ usedSize: number }>('Runtime.getHeapUsage');
  const { result } = await call<{ result: { value: string[] } }>('Runtime.evaluate', {
    expression: 'process.getActiveResourcesInfo()',
    returnByValue: true,
  });
  socket.close();
  const resources = result.value;
  return {
    heapMiB: usedSize / 2 ** 20,
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    timers: resources.filter((name) => name === 'Timeout').length,
  };
}
