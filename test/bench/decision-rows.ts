import { createServer } from 'node:http';
import { EmbeddedJWK, jwtVerify } from 'jose';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { createProvingClient } from '../support/proofs.ts';
import { createDecide, DECIDED_URL } from './decide.ts';
import type { Aim, Row } from './rows.ts';
import type { Issuer } from './tokens.ts';

interface Rows {
  readonly rows: readonly Row[];
}
type Environment = Readonly<Record<string, string>>;

/** As many proofs as a round of `cold` uses. */
const PROOFS = 300;

/** A decision about a remembered token with a new proof, against jose that verifies the same proof and no more. */
export async function proofRows(
  issuer: Issuer,
  environment: Environment,
): Promise<Rows & { readonly aims: readonly Aim[] }> {
  const client = await createProvingClient();
  const token = issuer.bound(client.thumbprint);
  const [ours, theirs] = ['our decision, with a DPoP proof', 'jose.jwtVerify of the proof'];
  const decide = await createDecide(environment);
  const proofs = () => Promise.all(Array.from({ length: PROOFS }, () => client.prove({ uri: DECIDED_URL, token })));
  const options = { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: 60 };
  return {
    rows: [
      proofRow(ours, proofs, async (proof) => void (await decide(`DPoP ${token}`, proof))),
      proofRow(theirs, proofs, async (proof) => void (await jwtVerify(proof, EmbeddedJWK, options))),
    ],
    aims: [{ row: ours, of: theirs, kind: 'cold', atMost: 1.15 }],
  };
}

function proofRow(name: string, proofs: () => Promise<string[]>, use: (proof: string) => Promise<void>): Row {
  return {
    name,
    accepts: async () => [],
    async measure() {
      const fresh = await proofs();
      const micros = await microsOf(fresh, use);
      return { operations: fresh.length, micros };
    },
    stop: async () => {},
  };
}

/** A decision about an opaque token whose issuer has been asked before, against one about a remembered signed token. */
export async function opaqueRows(
  issuer: Issuer,
  environment: Environment,
): Promise<Rows & { aims(signed: string): readonly Aim[] }> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const active = {
    active: true,
    iss: issuer.issuer,
    aud: issuer.audience,
    sub: 'caller-of-an-opaque-token',
    client_id: 'bench',
    scope: 'discover evaluate jobs metrics',
    iat: nowSeconds - 10,
    exp: nowSeconds + 1800,
  };
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(active)),
  );
  const asked = await listenOnLoopback(server);
  const { TGEFD_JWKS_URL: keys, ...others } = environment;
  const rest = Object.entries(others).filter(([name]) => !name.startsWith('TGEFD_JWT_'));
  const row = {
    issuer: issuer.issuer,
    audience: issuer.audience,
    algorithms: 'RS256',
    max_ttl_sec: 3600,
    keys,
    introspection: {
      url: `http://127.0.0.1:${asked.port}/`,
      client_id: 'bench',
      client_secret: 'bench-secret',
      cache_sec: 300,
    },
  };
  const decide = await createDecide({ ...Object.fromEntries(rest), TGEFD_ISSUERS: JSON.stringify([row]) });
  const name = 'our decision, opaque token asked about before';
  return {
    rows: [
      {
        name,
        accepts: async () => [],
        async measure(tokens) {
          const micros = await microsOf(tokens, () => decide('Bearer opaque-token-of-the-bench'));
          return { operations: tokens.length, micros };
        },
        stop: () => asked.down(),
      },
    ],
    aims: (signed) => [{ row: name, of: signed, kind: 'hot', atMost: null }],
  };
}

async function microsOf<T>(values: readonly T[], use: (value: T) => Promise<void> | undefined): Promise<number> {
  const { user, system } = process.cpuUsage();
  for (const value of values) {
    const used = use(value);
    if (used instanceof Promise) await used;
  }
  const used = process.cpuUsage({ user, system });
  return used.user + used.system;
}
