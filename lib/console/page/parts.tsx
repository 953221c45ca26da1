import type { Child } from 'hono/jsx';
import { visible } from './format.ts';

/** Heading of a screen, with one sentence that says what is the matter. */
export function Heading(props: { readonly title: string; readonly children?: Child }) {
  return (
    <div class="heading">
      <h1>{props.title}</h1>
      {props.children && <div class="lead">{props.children}</div>}
    </div>
  );
}

/** Something to know before anything else. `bad`: callers suffer or a promise does not hold. */
export function Notice(props: {
  readonly kind: 'bad' | 'warn' | 'good' | 'info';
  readonly title: string;
  readonly children?: Child;
  readonly id?: string;
  readonly hidden?: boolean;
}) {
  return (
    <div
      class={`notice notice-${props.kind}`}
      id={props.id}
      hidden={props.hidden}
      role={props.kind === 'bad' ? 'alert' : 'status'}
    >
      <strong>{props.title}</strong>
      {props.children && <div>{props.children}</div>}
    </div>
  );
}

/** A part of a screen. */
export function Section(props: { readonly title: string; readonly children: Child; readonly aside?: Child }) {
  const id = `s-${props.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  return (
    <section aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** A table that scrolls by itself where the screen is narrow; a region that the keyboard reaches. */
export function Table(props: {
  readonly label: string;
  readonly head: readonly (readonly [title: string, className?: string])[];
  readonly children: Child;
  readonly bodyId?: string;
}) {
  return (
    <section class="scroll" aria-label={`${props.label}, table`} tabindex={0}>
      <table>
        <thead>
          <tr>
            {props.head.map(([title, className]) => (
              <th scope="col" class={className}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody id={props.bodyId}>{props.children}</tbody>
      </table>
    </section>
  );
}

/** A figure with its name. */
export function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly id?: string;
  readonly kind?: 'bad' | 'warn' | 'good';
  readonly note?: string;
}) {
  return (
    <div class="figure">
      <dt>{props.name}</dt>
      <dd class={props.kind === undefined ? undefined : `is-${props.kind}`} id={props.id}>
        {props.value}
      </dd>
      {props.note !== undefined && <dd class="figure-note">{props.note}</dd>}
    </div>
  );
}

/** A labelled field of a form; `help` is read out with it. */
export function Field(props: {
  readonly label: string;
  readonly name: string;
  readonly help?: string;
  readonly children: Child;
  readonly wide?: boolean;
}) {
  return (
    <div class={props.wide ? 'field field-wide' : 'field'}>
      <label for={props.name}>{props.label}</label>
      {props.children}
      {props.help && (
        <p class="help" id={`${props.name}-help`}>
          {props.help}
        </p>
      )}
    </div>
  );
}

/** Method and path of a request that an operator asks about. */
export function RequestFields(props: { readonly method: string; readonly path: string; readonly required?: boolean }) {
  return (
    <>
      <Field label="Method" name="method">
        <input type="text" id="method" name="method" value={props.method} spellcheck={false} />
      </Field>
      <Field label="Path" name="path" help="As the caller sends it, such as /v1/jobs/42.">
        <input
          type="text"
          id="path"
          name="path"
          required={props.required}
          value={visible(props.path, 2000)}
          spellcheck={false}
          aria-describedby="path-help"
        />
      </Field>
    </>
  );
}

/** What the form of a session carries, so that no other page can send it. */
export function Csrf(props: { readonly token: string }) {
  return <input type="hidden" name="csrf" value={props.token} />;
}

/** What stands where nothing is. */
export function Empty(props: { readonly title: string; readonly children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{props.title}</p>
      {props.children && <p>{props.children}</p>}
    </div>
  );
}

/** Names with their values, inside a list of facts. */
export function Facts({ of }: { readonly of: readonly (readonly [name: string, value: string])[] }) {
  return (
    <>
      {of.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>
            <code>{visible(value)}</code>
          </dd>
        </>
      ))}
    </>
  );
}
