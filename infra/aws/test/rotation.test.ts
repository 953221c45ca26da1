import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

/** A Secrets Manager of one secret: versions by id, stages by name. Stands for the SDK that Lambda brings. */
const manager = {
  versions: new Map<string, string>(),
  stages: new Map<string, string>(),
};
Object.assign(globalThis, { manager });
const SDK = `
  const { versions, stages } = globalThis.manager;
  const command = (name) => class { constructor(input) { Object.assign(this, { name, input }); } };
  export const [DescribeSecretCommand, GetSecretValueCommand, PutSecretValueCommand, UpdateSecretVersionStageCommand] =
    ['describe', 'get', 'put', 'update'].map(command);
  export class SecretsManagerClient {
    async send({ name, input }) {
      if (name === 'get') {
        const id = stages.get(input.VersionStage);
        if (id === undefined || (input.VersionId && input.VersionId !== id)) throw new Error('ResourceNotFoundException');
        return { SecretString: versions.get(id) };
      }
      if (name === 'put') {
        versions.set(input.ClientRequestToken, input.SecretString);
        for (const stage of input.VersionStages) stages.set(stage, input.ClientRequestToken);
      }
      if (name === 'describe') {
        const byId = Map.groupBy(stages.keys(), (stage) => stages.get(stage));
        return { VersionIdsToStages: Object.fromEntries(byId) };
      }
      if (name === 'update') {
        if (stages.get(input.VersionStage) !== input.RemoveFromVersionId) throw new Error('InvalidParameterException');
        stages.set(input.VersionStage, input.MoveToVersionId);
      }
      return {};
    }
  }`;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@aws-sdk/client-secrets-manager'
      ? { url: `data:text/javascript,${encodeURIComponent(SDK)}`, shortCircuit: true }
      : next(specifier, context),
});
const rotation: { handler(event: object): Promise<void> } = await import(
  new URL('../rotation/index.mjs', import.meta.url).href
);

async function rotate(token: string) {
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
    await rotation.handler({ SecretId: 'secret', ClientRequestToken: token, Step });
    await rotation.handler({ SecretId: 'secret', ClientRequestToken: token, Step });
  }
}
function current(): { current: string; previous: string } {
  return JSON.parse(manager.versions.get(manager.stages.get('AWSCURRENT') ?? '') ?? '{}');
}

test('a secret that holds nothing yet gets two keys', async () => {
  manager.versions.set('first', '{"unused":"abcdefgh"}');
  manager.stages.set('AWSCURRENT', 'first');
  await rotate('second');
  const { current: key, previous } = current();
  for (const text of [key, previous]) assert.match(text, /"crv":"Ed25519"/);
  assert.notEqual(key, previous);
});

test('the next key keeps the one before, each step may come twice', async () => {
  const before = current().current;
  await rotate('third');
  assert.equal(current().previous, before);
  assert.notEqual(current().current, before);
  const { kid } = JSON.parse(current().current);
  assert.match(kid, /^[0-9a-f-]{36}$/);
});

test('a pending version that is no pair of keys is never made current', async () => {
  manager.versions.set('fourth', '{"current":"x","previous":"y"}');
  manager.stages.set('AWSPENDING', 'fourth');
  const step = { SecretId: 'secret', ClientRequestToken: 'fourth', Step: 'testSecret' };
  await assert.rejects(rotation.handler(step), /does not hold two keys/);
});

test('an unknown step is refused', async () => {
  await assert.rejects(rotation.handler({ Step: 'constructor' }), /unknown step/);
});
