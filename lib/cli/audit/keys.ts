import { sealOf } from '../../archive/seal.ts';
import { type ManifestJwk, publicSigningJwk } from '../../archive/signature.ts';
import { signingJwks } from '../../compose/archive/archive.ts';
import { command, type Output, Usage } from '../command.ts';
import { archiveConfig, type OpenArchive, openArchive, placeOptions } from './parts.ts';

export const keys = command({
  summary: 'Prints the public keys that verify the archive, or marks one of them as revoked.',
  options: {
    revoke: {
      type: 'string',
      value: 'KID',
      means:
        'Marks this key as revoked, with everything that it signed so far. The next options say where the archive is.',
    },
    ...placeOptions,
  },
  examples: [
    { line: 'audit keys', does: 'Prints a key set for auditors.' },
    { line: 'audit keys --revoke KID --folder ./copy --keys audit-keys.json', does: 'Marks a stolen key as revoked.' },
  ],
  json: 'The key set (RFC 7517), as without it.',
  exits: { no: 'There is no key.' },
  async run({ revoke, json, help, ...place }, console) {
    if (revoke !== undefined) return print(await withRevoked(await openArchive(place, console), revoke), console);
    if (Object.values(place).some((given) => given !== undefined))
      throw new Usage('where the archive is matters only to --revoke');
    return print(await publicKeys(signingJwks(await archiveConfig(console))), console);
  },
});

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

function print(published: readonly ManifestJwk[], console: Output): number {
  console.document(JSON.stringify({ keys: published }, null, 2));
  return published.length === 0 ? 1 : 0;
}
