import { Field, Heading, Notice } from '../page/parts.tsx';

/** Why somebody stands before the sign-in page. */
export type SignInNote =
  | { readonly note: 'none' | 'over' | 'out' }
  | { readonly note: 'refused'; readonly status: number; readonly code: string; readonly scope: string | null };

/** The page where a token, or the identity of a trusted ingress, is exchanged for a session. */
export function SignIn(props: {
  readonly note: SignInNote;
  readonly scope: string;
  readonly takesTokens: boolean;
  /** A link may carry a token in its fragment; in development only. */
  readonly opensLinks: boolean;
}) {
  const { note, scope, takesTokens, opensLinks } = props;
  return (
    <>
      <Heading title="Sign in">
        The console shows who was refused and why. A session lasts 15 minutes in this browser.
      </Heading>
      <Why note={note} />
      <form class="sheet form" method="post" action="/sign-in" autocomplete="off">
        {takesTokens && (
          <Field
            label="Token"
            name="token"
            help={`An access token or key that this authorizer accepts, with the scope ${scope}. It is checked once and not kept.`}
            wide
          >
            <input
              type="password"
              id="token"
              name="token"
              autocomplete="off"
              spellcheck={false}
              aria-describedby="token-help"
              data-link={opensLinks ? 'open' : 'closed'}
            />
          </Field>
        )}
        <div class="actions">
          <button type="submit">Sign in</button>
          <span class="help">
            {takesTokens
              ? 'Leave it empty where an ingress or a client certificate names you.'
              : 'Your client certificate, or a trusted ingress, names you.'}
          </span>
        </div>
      </form>
    </>
  );
}

function Why({ note }: { readonly note: SignInNote }) {
  switch (note.note) {
    case 'none':
      return null;
    case 'over':
      return <Notice kind="info" title="Your session is over. Sign in again to go on." />;
    case 'out':
      return <Notice kind="good" title="You are signed out." />;
    case 'refused':
      return (
        <Notice kind="bad" title={`Not signed in: ${note.status} ${note.code}`}>
          {refusalAdvice(note)}
        </Notice>
      );
  }
}

function refusalAdvice({ code, scope }: Extract<SignInNote, { note: 'refused' }>): string {
  if (code === 'insufficient_scope')
    return `The token is valid, but does not hold the scope ${scope ?? ''}. Ask for a token that does.`;
  if (code === 'credentials_missing') return 'Nothing was presented: paste a token.';
  if (code === 'rate_limited') return 'Too many failed attempts from this address. Wait a minute.';
  if (code.endsWith('_unavailable')) return 'The authorizer cannot check this now: its own store or issuer is down.';
  return 'The token is not accepted here. The reason stands in the audit record, and explain on the command line tells it.';
}
