/**
 * `tgefd-authorizer/node`: the server of a Node process in front of an API, and the platform for an authorizer inside a Node
 * application: secrets in files and in Vault, and sockets that are checked below `fetch`.
 *
 * @module
 */

export { serveNode } from './adapter/node/serve.ts';
export { configFromEnv, type Options, type WrittenOptions } from './config/options/options.ts';
export { type NodeRuntime, nodePlatform } from './platform/node/platform.ts';
