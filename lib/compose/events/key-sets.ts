import { transmitterUrls } from '../../authenticate/jwks/discovery.ts';
import type { ManagedKeySets } from '../../authenticate/jwks/key-sets.ts';
import type { Config } from '../../config/load.ts';
import type { Fetch } from '../../decision/ports.ts';
import { keySetsFrom } from '../authenticate/issuers.ts';
import type { Runtime } from '../runtime.ts';

/** The key sets of the transmitters, in the order of the configuration. */
export type EventKeySets = readonly ManagedKeySets[];

/** Makes the key sets of every transmitter. Nothing is fetched before an event comes. */
export function composeEventKeySets({ settings, eventIssuers }: Config, runtime: Runtime, egress: Fetch): EventKeySets {
  return eventIssuers.map((each) => {
    const metadataUrls = each.keys.from === 'discovery' ? transmitterUrls(each.keys.issuer) : [];
    return keySetsFrom({ ...each, uses: ['sig'], keysTokenFile: null, metadataUrls }, settings, runtime, egress);
  });
}
