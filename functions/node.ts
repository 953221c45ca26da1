import { serveNode } from '../lib/adapter/node/serve.ts';
import { configFromEnv } from '../lib/config/options/options.ts';
import { nodePlatform } from '../lib/platform/node/platform.ts';

/** The gateway, the forward-auth ways in and the archive, as a Node process. */
await serveNode(configFromEnv(), nodePlatform());
