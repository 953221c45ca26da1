import { demandOf, type Explanation, factNames, type ToldStep } from '../../policy/explain/explanation.ts';
import { codeOf, statusOf } from '../../respond/denial.ts';
import { adviceFor } from '../denied/advice.ts';
import { visible } from '../page/format.ts';
import { Csrf, Facts, Field, Heading, Notice, RequestFields, Section } from '../page/parts.tsx';
import { Found, type FoundRecords } from './record.tsx';

/** What was asked of the screen *Why*, and what came out. */
export interface WhyState {
  readonly requestId: string;
  readonly found: FoundRecords | null;
  /** The request that was decided again, without its token. */
  readonly asked: { readonly method: string; readonly path: string } | null;
  readonly explanation: Explanation | null;
  readonly problem: string | null;
}

/** The screen *Why*: a record by its request id, or a request decided again by the real code. */
export function WhyScreen(props: { readonly state: WhyState; readonly csrf: string }) {
  const { state, csrf } = props;
  const { found, explanation, asked, problem } = state;
  return (
    <>
      <Heading title="Why">
        Look up the record of a request, or paste a request and see every step of its decision with the value found and
        the value wanted.
      </Heading>
      {problem !== null && <Notice kind="warn" title={problem} />}
      {explanation !== null && asked !== null && <Decided explanation={explanation} asked={asked} />}
      {found !== null && <Found found={found} requestId={state.requestId} />}
      <Section title="By request id">
        <form class="sheet form" method="get" action="/why">
          <Field
            label="Request id"
            name="request_id"
            help="x-request-id of the answer, of a log line or of a problem."
            wide
          >
            <input
              type="text"
              id="request_id"
              name="request_id"
              value={visible(state.requestId)}
              autocomplete="off"
              spellcheck={false}
              aria-describedby="request_id-help"
            />
          </Field>
          <div class="actions">
            <button type="submit">Find its record</button>
          </div>
        </form>
      </Section>
      <Section title="By request and token">
        <PasteForm csrf={csrf} asked={asked} />
      </Section>
    </>
  );
}

function PasteForm({ csrf, asked }: { readonly csrf: string; readonly asked: WhyState['asked'] }) {
  return (
    <form class="sheet form" method="post" action="/why" autocomplete="off">
      <Csrf token={csrf} />
      <RequestFields method={asked?.method ?? 'GET'} path={asked?.path ?? ''} />
      <Field
        label="Token"
        name="token"
        help="It is checked and forgotten: it is in no record, no log and not on the answer. Nothing is spent from its budgets."
        wide
      >
        <textarea
          id="token"
          name="token"
          rows={4}
          spellcheck={false}
          autocomplete="off"
          aria-describedby="token-help"
        ></textarea>
      </Field>
      <div class="actions">
        <button type="submit">Explain</button>
      </div>
    </form>
  );
}

function Decided(props: { readonly explanation: Explanation; readonly asked: NonNullable<WhyState['asked']> }) {
  const { explanation, asked } = props;
  const { decision, denial, steps } = explanation;
  const { denial: reason, endpoint } = decision;
  const failing = reason === null ? -1 : failingStep(steps);
  return (
    <Section title={`${visible(asked.method, 32)} ${visible(asked.path, 120)}`}>
      {reason === null || denial === null ? (
        <Notice kind="good" title="It would be allowed now.">
          Unless a budget is used up: none was asked.
        </Notice>
      ) : (
        <Notice
          kind="bad"
          title={`It would be denied: ${statusOf(reason)} ${codeOf(reason)}, because ${reason.reason}`}
        >
          <dl class="facts">
            <Facts
              of={[
                ['found', denial.found],
                ['wanted', denial.wanted],
                ['set by', denial.set_by],
              ]}
            />
            <dt>to do</dt>
            <dd>{adviceFor(reason.reason)}</dd>
          </dl>
        </Notice>
      )}
      <ol class="steps" aria-label="Steps of the decision">
        {steps.map((step, place) => (
          <Step step={step} failed={place === failing} />
        ))}
      </ol>
      {endpoint !== null && (
        <p class="quiet">
          Row <code>{`${endpoint.method} ${endpoint.pattern}`}</code> {`demands ${demandOf(endpoint)}.`}
        </p>
      )}
    </Section>
  );
}

/** The step that told of the refusal; the last but the verdict where none did. */
function failingStep(steps: readonly ToldStep[]): number {
  const told = steps.findLastIndex(
    ({ finding, step, facts }) =>
      step !== 'decide' && (finding.startsWith('refused') || finding === 'revoked' || facts.wanted != null),
  );
  return told === -1 ? steps.findLastIndex(({ step }) => step === 'decide') : told;
}

function Step({ step, failed }: { readonly step: ToldStep; readonly failed: boolean }) {
  const facts = Object.entries(step.facts).filter(([, value]) => value !== null && value !== '');
  const head = (
    <>
      <span aria-hidden="true">{failed ? '✕' : step.step === 'decide' ? '=' : '✓'}</span>
      <span class="step-name">{step.step}</span>
      <span class="step-finding">
        {visible(step.finding)}
        {failed && <span class="sr"> (this step refused)</span>}
      </span>
    </>
  );
  if (facts.length === 0)
    return (
      <li class={failed ? 'is-failed' : undefined}>
        <div class="step">{head}</div>
      </li>
    );
  return (
    <li class={failed ? 'is-failed' : undefined}>
      <details open={failed}>
        <summary>{head}</summary>
        <div class="step-body">
          <dl class="facts">
            <Facts
              of={facts.map(([name, value]) => [factNames.has(name) ? name.replace('_', ' ') : name, String(value)])}
            />
          </dl>
        </div>
      </details>
    </li>
  );
}
