import { createDecide } from './decide.ts';
import { opaqueRows, proofRows } from './decision-rows.ts';
import type { Place } from './place.ts';
import { largeEnvironment, productEnvironment } from './product.ts';
import type { Plan, Row } from './rows.ts';

type Verify = (token: string) => unknown;

/** In one process: our whole decision against what others take to verify the token alone. */
export async function decisionGroup({ issuer, keySetUrl, facts }: Place): Promise<Plan> {
  const { verifiers } = await import(new URL('peers/verifiers.mjs', import.meta.url).href);
  const peers: Readonly<Record<string, Verify>> = await verifiers(facts);
  const environment = productEnvironment(issuer, keySetUrl);
  const [row, large] = ['our decision', 'our decision, 5 issuers and 200 rows'];
  const [shadowed, without] = ['our decision, with a shadow table', 'our decision, DPoP off'];
  const oursWith = async (more: Readonly<Record<string, string>>) =>
    bearing(await createDecide({ ...environment, ...more }));
  const proofs = await proofRows(issuer, environment);
  const opaque = await opaqueRows(issuer, environment);
  return {
    title: 'decision: in process; ours is the whole decision, the others verify the token and do no more',
    rows: [
      verifierRow(row, await oursWith({})),
      verifierRow(large, bearing(await createDecide(largeEnvironment(issuer, keySetUrl)))),
      verifierRow(shadowed, await oursWith({ TGEFD_SHADOW_ENDPOINTS: SHADOW_TABLE })),
      verifierRow(without, await oursWith({ TGEFD_DPOP: 'off' })),
      ...proofs.rows,
      ...opaque.rows,
      ...Object.entries(peers).map(([name, verify]) => verifierRow(name, verify)),
    ],
    aims: [
      { row: large, of: row, kind: 'hot', atMost: 1.1 },
      { row: shadowed, of: row, kind: 'hot', atMost: 3, added: true },
      { row, of: without, kind: 'hot', atMost: 1.02 },
      ...proofs.aims,
      ...opaque.aims(row),
      { row, of: 'fast-jwt, cache', kind: 'hot', atMost: 1 },
      { row, of: 'jose.jwtVerify', kind: 'hot', atMost: null },
      { row, of: 'aws-jwt-verify', kind: 'hot', atMost: null },
      { row, of: 'jose.jwtVerify', kind: 'cold', atMost: 1.05 },
      { row, of: 'fast-jwt', kind: 'cold', atMost: null },
    ],
    skipped: [],
    rounds: 9,
    operations: { hot: 10_000, cold: 300 },
  };
}

/** A second table that decides as the first does. */
const SHADOW_TABLE = JSON.stringify(
  ['GET', 'POST', 'DELETE'].map((method) => ({ method, path: '/v1/jobs/{id}', scope: 'jobs', budget: 'read' })),
);

function bearing(decide: Awaited<ReturnType<typeof createDecide>>): Verify {
  return (token) => decide(`Bearer ${token}`);
}

function verifierRow(name: string, verify: Verify): Row {
  return {
    name,
    async accepts(bad) {
      const accepted: string[] = [];
      for (const [what, token] of Object.entries(bad)) {
        try {
          await verify(token);
          accepted.push(what);
        } catch {}
      }
      return accepted;
    },
    async measure(tokens) {
      const { user, system } = process.cpuUsage();
      for (const token of tokens) {
        const verified = verify(token);
        if (verified instanceof Promise) await verified;
      }
      const used = process.cpuUsage({ user, system });
      return { operations: tokens.length, micros: used.user + used.system };
    },
    stop: async () => {},
  };
}
