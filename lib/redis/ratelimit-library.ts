/** What of @upstash/ratelimit is used, in a module of its own, so that a bundle leaves the rest of it out. */
export { Ratelimit } from '@upstash/ratelimit';
