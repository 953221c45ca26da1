import { type Composed, compose } from './authorizer.ts';
import type { Steps } from './lifecycle/life.ts';
import type { GatewayPlatform } from './runtime.ts';

/** The lifecycle's steps for everything that decides requests. */
export function authorizerSteps(platform: GatewayPlatform): Steps<Composed> {
  return {
    compose: (config, before) => compose(config, platform.runtime(config), before),
    adopt: ({ carried }) => carried.store.adopt(),
    keeper: (composed) => composed,
    refreshSeconds: ({ config }) => config.settings.secretsRefreshSeconds,
  };
}
