import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager'; // Lambda's Node runtimes bring it.

const client = new SecretsManagerClient();

/** A private JWK (RFC 8037) with a key id of its own. */
const newKey = () =>
  JSON.stringify({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: randomUUID() });

const read = async (SecretId, VersionStage, VersionId) => {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId, VersionStage, VersionId }));
  return JSON.parse(SecretString);
};

/** Whether a text is a private Ed25519 JWK. */
const isKey = (text) => {
  try {
    const { kty, crv, d, x } = JSON.parse(text);
    return kty === 'OKP' && crv === 'Ed25519' && d?.length === 43 && x?.length === 43;
  } catch {
    return false;
  }
};

/** The four steps of a Secrets Manager rotation; each may be called again. */
const steps = {
  async createSecret(id, token) {
    const pending = await read(id, 'AWSPENDING', token).catch(() => null);
    if (pending !== null) return;
    const { current } = await read(id, 'AWSCURRENT').catch(() => ({}));
    const next = { current: newKey(), previous: isKey(current) ? current : newKey() };
    await client.send(
      new PutSecretValueCommand({
        SecretId: id,
        ClientRequestToken: token,
        SecretString: JSON.stringify(next),
        VersionStages: ['AWSPENDING'],
      }),
    );
  },
  async setSecret() {}, // Nobody else has to be told: verifiers read the published key set.
  async testSecret(id, token) {
    const { current, previous } = await read(id, 'AWSPENDING', token);
    if (!isKey(current) || !isKey(previous)) throw new Error('the pending version does not hold two keys');
  },
  async finishSecret(id, token) {
    const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: id }));
    const [current] = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT')) ?? [];
    if (current === token) return;
    await client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: id,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId: token,
        RemoveFromVersionId: current,
      }),
    );
  },
};

export const handler = async ({ SecretId, ClientRequestToken, Step }) => {
  if (!Object.hasOwn(steps, Step)) throw new Error('an unknown step of a rotation');
  await steps[Step](SecretId, ClientRequestToken);
};
