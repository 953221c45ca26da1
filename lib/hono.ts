/**
 * `tgefd-authorizer/hono`: a middleware that decides every request before a Hono application sees it, on any runtime that
 * Hono runs on. Importing it has no effect by itself, and loads no module of Node.
 *
 * @module
 */

export { type AuthorizerVariables, authorizer, requireScope } from './adapter/hono/middleware.ts';
export type { AuthorizedPrincipal } from './adapter/library/decision.ts';
export { configFromEnv, type Options, type WrittenOptions } from './config/options/options.ts';
