import { serveWorker } from '../lib/adapter/workers/serve.ts';
import { configFromEnv } from '../lib/config/options/options.ts';
import { workersPlatform } from '../lib/platform/workers/platform.ts';

/** The gateway and the forward-auth ways in, as a Cloudflare Worker. */
export default serveWorker(configFromEnv(), workersPlatform());
