import type { NodeConsoleHost } from '../adapter/node/console.ts';
import { receivedOf } from '../adapter/node/received.ts';
import { type NodeBindings, rawTargetOf } from '../adapter/node/server.ts';
import { sleep } from '../codec/sleep.ts';
import { createConsole } from './app.tsx';
import { openedArchive } from './audit/archive.ts';

/** The console of a Node process, beside its gateway and over the same parts. */
export async function openConsole({ platform, context, stopping, composed }: NodeConsoleHost) {
  const { clock, newId } = platform;
  return createConsole<NodeBindings>({
    composed,
    rawTarget: (_request, { incoming }) => rawTargetOf(incoming),
    received: (_request, { incoming }) => receivedOf(incoming, rawTargetOf(incoming), context),
    async archive(config) {
      const { s3Stores } = await import('../platform/cloud/object-stores.ts');
      const { egress, cloud } = platform.cloud(config);
      return openedArchive(config, s3Stores(config.settings, { clock, stopwatch: platform.stopwatch }, egress, cloud));
    },
    live: 'events',
    clock,
    newId,
    sleep,
    stopping,
  });
}
