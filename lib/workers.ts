/**
 * `tgefd-authorizer/workers`: the handlers of a Cloudflare Worker in front of an API, and the platform for an authorizer
 * inside a Worker of your own.
 *
 * @module
 */

export { serveWorker, type WorkerHandlers } from './adapter/workers/serve.ts';
export { configFromEnv, type Options, type WrittenOptions } from './config/options/options.ts';
export { type WorkersRuntime, workersPlatform } from './platform/workers/platform.ts';
