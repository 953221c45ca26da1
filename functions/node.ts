import { serveNode } from '../lib/adapter/node/serve.ts';
import { nodePlatform } from '../lib/platform/node/platform.ts';

/** The gateway and forward-auth ways in as a Node process. */
await serveNode(nodePlatform(process.env));
