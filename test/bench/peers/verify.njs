// nginx njs: the same checks as the others, by its Web Cryptography. What is made here at the start, a request finds as it
// was; whatever a request adds is gone with it, so that no token can be remembered.
const KEY = Buffer.from('SPKI', 'base64');
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
const imported = crypto.subtle.importKey('spki', KEY, ALGORITHM, false, ['verify']);

const json = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

async function verify(field) {
  if (!field || !field.startsWith('Bearer ')) return null;
  const parts = field.slice(7).split('.');
  if (parts.length !== 3) return null;
  const header = json(parts[0]);
  if (header.alg !== 'RS256' || (header.typ !== 'at+jwt' && header.typ !== 'JWT') || header.kid !== 'KID') return null;
  const key = await imported; // As an argument of a call this njs does not take it.
  const signature = Buffer.from(parts[2], 'base64url');
  if (!(await crypto.subtle.verify(ALGORITHM, key, signature, `${parts[0]}.${parts[1]}`))) return null;
  const claims = json(parts[1]);
  const now = Date.now() / 1000;
  if (claims.iss !== 'ISSUER' || claims.aud !== 'AUDIENCE') return null;
  if (typeof claims.exp !== 'number' || claims.exp <= now) return null;
  if (claims.nbf !== undefined && !(claims.nbf <= now)) return null;
  return claims;
}

async function answer(r) {
  let claims = null;
  try {
    claims = await verify(r.headersIn.authorization);
  } catch (error) {}
  if (claims === null) return r.return(401);
  if (!claims.scope.split(' ').includes('jobs')) return r.return(403);
  r.headersOut['x-auth-request-user'] = claims.sub;
  r.headersOut['x-auth-request-scopes'] = claims.scope;
  r.headersOut['x-auth-request-method'] = 'jwt';
  r.headersOut['x-auth-request-issuer'] = claims.iss;
  r.headersOut['x-request-id'] = '01J00000000000000000000000';
  r.headersOut.traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02';
  r.headersOut['cache-control'] = 'no-store';
  r.return(200);
}

export default { answer };
