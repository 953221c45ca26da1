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
): (token: string, presentation: Presentation) => Authentication | Promise<Authentication> {
  const made = new WeakMap<Introspected, KnownToken>();

  const settle = (answer: Introspected, token: string, presentation: Presentation) => {
    const { context } = presentation;
    if (answer.outcome === 'unavailable') {
      const told = { found: 'no answer that counts', wanted: 'an answer in time', set_by: 'the member introspection' };
      context.explain?.('introspection', 'no answer', told);
      return unavailable(answer.retryAfterSeconds);
    }
    if (answer.outcome === 'throttled') return answer;
    if (answer.outcome === 'refused') return refused(context.explain, 'introspection', answer.reason);
    context.explain?.('introspection', 'active', { issuer: issuer.spellings[0] ?? null });
    const known = made.get(answer);
    return known === undefined ? firstTime(answer, token, presentation) : bind(known, false, presentation);
  };

  const firstTime = async (
    answer: Extract<Introspected, { outcome: 'active' }>,
    token: string,
    presentation: Presentation,
  ): Promise<Authentication> => {
    const known = await makeKnown(token, { ...answer, issuer, key: null, query: null }, presentation.context);
    if ('outcome' in known) return known;
    made.set(answer, known);
    return bind(known, false, presentation);
  };

  return (token, presentation) => {
    const { context, mayFetchKeys: mayAsk, boundary } = presentation;
    const answer = introspect(token, { mayAsk, address: boundary.addressPartition, context });
    return answer instanceof Promise
      ? answer.then((later) => settle(later, token, presentation))
      : settle(answer, token, presentation);
  };
}
