import { authentication } from './identity/authentication.ts';
import { dpop } from './identity/dpop.ts';
import { jwt } from './identity/jwt.ts';
import { keySet } from './identity/key-set.ts';
import { mtls } from './identity/mtls.ts';
import { protectedResource } from './identity/protected-resource.ts';
import { scopesAndRoles } from './identity/scopes.ts';
import { sharedSignals } from './identity/shared-signals.ts';
import { operatorConsole } from './operation/console.ts';
import { observation } from './operation/observation.ts';
import { secrets } from './operation/secrets.ts';
import { shadow } from './operation/shadow.ts';
import { apiGateway } from './request/api-gateway.ts';
import { boundary } from './request/boundary.ts';
import { general } from './request/general.ts';
import { transport } from './request/transport.ts';
import { upstream } from './request/upstream.ts';
import { archive } from './store/archive.ts';
import { audit } from './store/audit.ts';
import { limits } from './store/limits.ts';
import { redis } from './store/redis.ts';
import { revocation } from './store/revocation.ts';

/** The chapters of the configuration page, in its order. */
export const chapters = [
  { title: 'General', rows: general },
  { title: 'Authentication', rows: authentication },
  { title: 'JWT', rows: jwt },
  { title: 'Key set', rows: keySet },
  { title: 'Proof of possession', rows: dpop },
  { title: 'Protected resource', rows: protectedResource },
  { title: 'Shared signals', rows: sharedSignals },
  { title: 'mTLS', rows: mtls },
  { title: 'Scopes and roles', rows: scopesAndRoles },
  { title: 'Trust boundary', rows: boundary },
  { title: 'Upstream', rows: upstream },
  { title: 'Limits', rows: limits },
  { title: 'Revocation', rows: revocation },
  { title: 'Redis', rows: redis },
  { title: 'Audit', rows: audit },
  { title: 'Archive', rows: archive },
  { title: 'Transport and egress', rows: transport },
  { title: 'API Gateway', rows: apiGateway },
  { title: 'Observation', rows: observation },
  { title: 'Console', rows: operatorConsole },
  { title: 'Shadow', rows: shadow },
  { title: 'Secrets', rows: secrets },
] as const;
