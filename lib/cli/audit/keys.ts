import { sealOf } from '../../archive/seal.ts';
import { type ManifestJwk, publicSigningJwk } from '../../archive/signature.ts';
import { signingJwks } from '../../compose/archive/archive.ts';
import { type Command, type Console, options, Usage } from '../command.ts';
import { archiveConfig, type OpenArchive, openArchive, PLACE_USAGE, placeOptions } from './parts.ts';

export const keys: Command = {
  summary:
    'prints the public keys that verify the archive, as a key set; or marks one as revoked, with all that it signed so far',
  usage: `audit keys | audit keys --revoke KID ${PLACE_USAGE}`,
  async run(args, console) {
    const { values } = options(args, { ...placeOptions, revoke: { type: 'string' } });
    const { revoke, ...place } = values;
    if (revoke !== undefined) {
      const archive = await openArchive(place, console);
      return archive === null ? 1 : print(await withRevoked(archive, revoke), console);
    }
    if (Object.values(place).some((given) => given !== undefined))
      throw new Usage('where the archive is matters only to --revoke');
    const config = await archiveConfig(console);
    return config === null ? 1 : print(await publicKeys(signingJwks(config)), console);
  },
};

/** Public halves, those that were revoked as they were marked. */
function publicKeys(jwks: readonly ManifestJwk[]): Promise<readonly ManifestJwk[]> {
  return Promise.all(
    jwks.map(async (jwk) => ({
      ...(await publicSigningJwk(jwk)),
      ...(jwk.revoked === undefined ? {} : { revoked: jwk.revoked }),
    })),
  );
}

/** The keys of an archive with one of them marked; what was marked before stays as it was. */
async function withRevoked(archive: OpenArchive, keyId: string): Promise<readonly ManifestJwk[]> {
  const published = await publicKeys(archive.keys);
  const stolen = published.find(({ kid }) => kid === keyId);
  if (stolen === undefined) throw new Usage(`--revoke: no key ${keyId} among those given`);
  if (stolen.revoked !== undefined) return published;
  const revoked = await sealOf(archive, keyId, Math.floor(Date.now() / 1000));
  return published.map((jwk) => (jwk === stolen ? { ...jwk, revoked } : jwk));
}

function print(published: readonly ManifestJwk[], console: Console): number {
  console.out(JSON.stringify({ keys: published }, null, 2));
  return published.length === 0 ? 1 : 0;
}
