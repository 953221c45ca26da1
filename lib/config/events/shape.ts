import * as z from 'zod/mini';
import { members as issuerMembers } from '../issuers/members.ts';

/** What editors are told of a row. */
export function eventIssuerShape() {
  return z.strictObject({
    issuer: issuerMembers.issuer.schema,
    audience: issuerMembers.audience.schema,
    keys: z.optional(issuerMembers.keys.schema),
    algorithms: z.optional(issuerMembers.algorithms.schema),
    types: z.optional(issuerMembers.types.schema),
    subject_issuers: z.optional(issuerMembers.issuer.schema),
  });
}
