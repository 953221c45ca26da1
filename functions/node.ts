import { serveNode } from '../lib/adapter/node/serve.ts';
import { configFromEnv } from '../lib/config/options/options.ts';
import { nodePlatform } from '../lib/platform/node/platform.ts';

/** The gateway, the forward-auth ways in, the archive and the console, as a Node process. */
await serveNode(configFromEnv(), nodePlatform(), {
  console: async (host) => (await import('../lib/console/node.ts')).openConsole(host),
});
