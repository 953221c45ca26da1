import { createAuthorize } from '../authorize/authorize.ts';
import { acceptedValues } from '../compose/authenticate/authenticate.ts';
import type { Composed } from '../compose/authorizer.ts';
import { createEnforce, type Enforce } from '../decision/pipeline.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { Principal } from '../decision/principal.ts';
import type { AccessRequest } from '../decision/request.ts';
import { type Decided, decide } from '../http/decided.ts';
import { createEndpointTable } from '../request/endpoints/table.ts';
import { createRecordWindow, type RecordWindow } from './records/window.ts';
import { consoleRows } from './rows.ts';
import { createSeal, type Seal } from './session/seal.ts';

/** Everything that the console makes of what is composed, once for each composition. */
export interface Desk {
  readonly composed: Composed;
  readonly seal: Seal;
  /** The latest records; null where there is no outbox to read. */
  readonly records: RecordWindow | null;
  /** Decides about a console request and records it: by a session's principal, or by the request's own credential. */
  decide(access: AccessRequest, principal: Principal | null, context: RequestContext): Promise<Decided>;
  /** Decides about a request for `explain`: really asks who is revoked, spends nothing and leaves no record. */
  readonly onTrial: Enforce;
}

/** Makes the desk of a composition. */
export function createDesk(composed: Composed): Desk {
  const { config, deciding, gateway, outbox, carried } = composed;
  const { settings } = config;
  const [decideSettings, steps, parts] = deciding;
  const rows = consoleRows({ look: settings.scopeConsole, act: settings.scopeRevoke });
  const authorizeRows = createAuthorize(rows, true);
  const signedIn = new WeakMap<AccessRequest, Principal>();
  const enforce = createEnforce(
    decideSettings,
    {
      ...steps,
      route: createEndpointTable(rows).route,
      authenticate(request, ...question) {
        const principal = signedIn.get(request);
        return principal === undefined
          ? steps.authenticate(request, ...question)
          : { outcome: 'authenticated', principal, degraded: [] };
      },
      authorize: (principal, ...question) =>
        authorizeRows({ ...principal, scopes: operatorScopes(principal, composed) }, ...question),
    },
    parts,
  );
  const decidingParts = { enforce, rateLimitFields: () => [], transportFields: gateway.transportFields };
  return {
    composed,
    seal: createSeal([...acceptedValues(settings.auditPseudonymKey), carried.processKey]),
    records: outbox && createRecordWindow(outbox, parts.clock),
    async decide(access, principal, context) {
      if (principal !== null) signedIn.set(access, principal);
      return decide(decidingParts, access, context);
    },
    onTrial: trialOf(deciding),
  };
}

function trialOf([settings, steps, { watch: _watch, ...parts }]: Composed['deciding']): Enforce {
  const { admission } = steps;
  return createEnforce(
    { ...settings, forwards: true },
    {
      ...steps,
      failures: { exhausted: () => null, spend: () => {} },
      underWay: null,
      admission: {
        admit: ({ revocation }, context) =>
          admission.admit({ partition: null, budgets: [], revocation, proof: undefined }, context),
      },
      record: () => null,
    },
    parts,
  );
}

/** Scopes that count here. The preset's role `admin` holds that of the console too, as it does the one that revokes. */
export function operatorScopes(
  { scopes, roles }: Pick<Principal, 'scopes' | 'roles'>,
  { config: { settings } }: Composed,
): readonly string[] {
  const isAdmin =
    settings.preset !== 'none' &&
    roles.includes('admin') &&
    scopes.includes('*') &&
    scopes.includes(settings.scopeRevoke);
  return isAdmin ? [...scopes, settings.scopeConsole] : scopes;
}
