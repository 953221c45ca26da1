import type { Config } from '../load.ts';
import type { Say } from './say.ts';

/** Proofs of possession, and messages of MCP. Says nothing where neither counts. */
export function describeProofsAndMessages(config: Config, say: Say): void {
  describeProofs(config, say);
  describeMessages(config, say);
}

function describeProofs({ settings, ways, place }: Config, { enforced, weak }: Say): void {
  if (!ways.includes('jwt')) return;
  if (settings.dpop === 'required') enforced('Every token is bound to a key, and each request proves it (TGEFD_DPOP).');
  if (settings.dpop === 'off') weak('Tokens that are bound to a key are refused (TGEFD_DPOP is `off`).');
  if (settings.dpop !== 'off' && settings.redisUrl === null && place.platform !== 'cli')
    weak('Without Redis each process checks alone whether a proof of possession was used before (TGEFD_REDIS_URL).');
}

function describeMessages({ settings, documents, place }: Config, { enforced, weak, attack }: Say): void {
  const rows = documents.endpoints.filter(({ mcp }) => mcp !== undefined);
  if (rows.length === 0) return;
  enforced(`${rows.length} row(s) take messages of MCP by method and name; the gateway compares them with the body.`);
  if (settings.forwardAuth !== 'off' || place.platform === 'lambda') {
    weak('A proxy or API Gateway sends no body: the MCP server itself must compare the body with the fields.');
    attack('Send `Mcp-Name` of a harmless tool with the body of another, to a server that does not compare them.');
  }
  if (settings.mcpLegacy)
    weak('Requests of earlier MCP revisions are decided by their body (TGEFD_MCP_LEGACY), which proxies cannot see.');
}
