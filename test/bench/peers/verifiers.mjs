/** Verifiers by themselves, each as its documentation has it: a function of a token that throws, or rejects, what it refuses. */
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import { importJWK, jwtVerify } from 'jose';

export const verifiers = async ({ publicPem, publicJwk, issuer, audience, keySetUrl }) => {
  const fast = {
    key: publicPem,
    algorithms: ['RS256'],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: ['exp'],
  };
  const aws = JwtVerifier.create({ issuer, audience, jwksUri: keySetUrl });
  aws.cacheJwks({ keys: [publicJwk] });
  const key = await importJWK(publicJwk, 'RS256');
  const options = { issuer, audience, algorithms: ['RS256'], requiredClaims: ['exp'] };
  return {
    'fast-jwt, cache': createVerifier({ ...fast, cache: 10_000 }),
    'fast-jwt': createVerifier({ ...fast, cache: false }),
    'aws-jwt-verify': (token) => aws.verifySync(token),
    'jose.jwtVerify': (token) => jwtVerify(token, key, options),
  };
};
