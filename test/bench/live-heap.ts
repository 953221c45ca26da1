/** What a Node process that listens with `--inspect` on `port` still holds after a full collection, in MiB. */
export async function liveHeapMiB(port: number): Promise<number> {
  const list = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await list.json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the inspector does not answer')), { once: true });
  });
  const call = <Result>(id: number, method: string) =>
    new Promise<Result>((resolve) => {
      const listen = ({ data }: MessageEvent) => {
        const answer = JSON.parse(String(data));
        if (answer.id !== id) return;
        socket.removeEventListener('message', listen);
        resolve(answer.result);
      };
      socket.addEventListener('message', listen);
      socket.send(JSON.stringify({ id, method }));
    });
  await call(1, 'HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await call<{ usedSize: number; backingStorageSize?: number }>(
    2,
    'Runtime.getHeapUsage',
  );
  socket.close();
  return (usedSize + backingStorageSize) / 2 ** 20;
}
