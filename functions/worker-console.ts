import { configFromEnv } from '../lib/config/options/options.ts';
import { serveConsole } from '../lib/console/workers.ts';
import { workersPlatform } from '../lib/platform/workers/platform.ts';

/** The console as a Cloudflare Worker of its own, under a hostname of its own. */
export default serveConsole(configFromEnv(), workersPlatform());
