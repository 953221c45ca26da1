import { serveWorker } from '../lib/adapter/workers/serve.ts';
import { workersPlatform } from '../lib/platform/workers/platform.ts';

/** The gateway and forward-auth ways in as a Cloudflare Worker. */
export default serveWorker(workersPlatform);
