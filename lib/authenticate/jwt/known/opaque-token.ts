import type { Authentication } from '../../../decision/principal.ts';
import { refused, unavailable } from '../../authenticator.ts';
import type { Introspect, Introspected } from '../../introspection/introspect.ts';
import type { TokenIssuer } from '../token-issuer.ts';
import type { Bind, Presentation } from './binding.ts';
import type { KnownToken, MakeKnown } from './known-token.ts';

/** Authenticates by a token that only its issuer can read (RFC 7662). What an answer came to is worked out once. */
export function createOpaqueTokens(
  { introspect, issuer }: { readonly introspect: Introspect; readonly issuer: TokenIssuer },
  { makeKnown, bind }: { readonly makeKnown: MakeKnown; readonly bind: Bind },
): (token: string, presentation: Presentation) => Promise<Authentication> {
  const made = new WeakMap<Introspected, KnownToken>();
  return async (token, presentation) => {
    const { context, mayFetchKeys: mayAsk, boundary } = presentation;
    const answer = await introspect(token, { mayAsk, address: boundary.addressPartition, context });
    if (answer.outcome === 'unavailable') return unavailable(answer.retryAfterSeconds);
    if (answer.outcome === 'refused') return refused(context.explain, 'introspection', answer.reason);
    context.explain?.('introspection', 'active', { issuer: issuer.spellings[0] ?? null });
    const known = made.get(answer) ?? (await makeKnown(token, { ...answer, issuer, key: null, query: null }, context));
    if ('outcome' in known) return known;
    made.set(answer, known);
    return bind(known, false, presentation);
  };
}
