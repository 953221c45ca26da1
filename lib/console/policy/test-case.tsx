import type { AuthMethod } from '../../decision/principal.ts';
import type { CaseResult } from '../../policy/cases/decide.ts';
import { adviceFor } from '../denied/advice.ts';
import { visible } from '../page/format.ts';
import { Csrf, Facts, Field, Notice, RequestFields } from '../page/parts.tsx';
import type { CaseForm } from './case-form.ts';

/** Asks for a case. */
export function CaseTest(props: {
  readonly csrf: string;
  readonly asked: CaseForm;
  readonly ways: readonly AuthMethod[];
}) {
  const { csrf, asked, ways } = props;
  return (
    <form class="sheet form" method="post" action="/policy" autocomplete="off">
      <Csrf token={csrf} />
      <RequestFields method={asked.method} path={asked.path} required />
      {ways.includes('jwt') && (
        <Field
          label="Claims of its token (JSON)"
          name="claims"
          help="They count as signed. iss, aud, iat and exp are filled in where they are missing. Empty: no token."
          wide
        >
          <textarea
            id="claims"
            name="claims"
            rows={3}
            spellcheck={false}
            placeholder='{"sub": "alice", "scope": "jobs"}'
            aria-describedby="claims-help"
          >
            {asked.claims}
          </textarea>
        </Field>
      )}
      {ways.includes('mtls') && (
        <Field label="Subject of its certificate" name="certificate" help="Empty: no certificate." wide>
          <input
            type="text"
            id="certificate"
            name="certificate"
            value={visible(asked.certificate, 500)}
            spellcheck={false}
            aria-describedby="certificate-help"
          />
        </Field>
      )}
      <div class="actions">
        <button type="submit">Decide</button>
        <span class="help">By the code of the command policy test. Nothing is spent.</span>
      </div>
    </form>
  );
}

/** What came out of a case. */
export function Result({ result, asked }: { readonly result: CaseResult; readonly asked: CaseForm }) {
  const { status, code, reason, action, scope, budget, upstream } = result;
  const what = `${visible(asked.method, 32)} ${visible(asked.path, 120)}`;
  const facts: readonly (readonly [string, string | null])[] = [
    ['action', action],
    ['scope demanded', scope ?? (action === null ? null : 'none')],
    ['budget', budget],
    ...Object.entries(upstream).map(([name, value]) => [name, value] as const),
  ];
  return (
    <Notice
      kind={code === null ? 'good' : 'bad'}
      title={code === null ? `${what}: allowed` : `${what}: ${status} ${code}, because ${reason ?? ''}`}
    >
      <dl class="facts">
        <Facts of={facts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))} />
        {reason !== null && (
          <>
            <dt>to do</dt>
            <dd>{adviceFor(reason)}</dd>
          </>
        )}
      </dl>
    </Notice>
  );
}
