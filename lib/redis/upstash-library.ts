/** What of Upstash's client is used, in a module of its own, so that a bundle leaves the rest of it out. */
export { Redis } from '@upstash/redis';
