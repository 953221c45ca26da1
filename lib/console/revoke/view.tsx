import type { Revocation } from '../../revoke/revocation.ts';
import { dateTime, visible } from '../page/format.ts';
import { Csrf, Empty, Field, Heading, Notice, Section, Table } from '../page/parts.tsx';
import type { FormValues } from './wanted.ts';
import { boundText, KIND_NAMES } from './words.ts';

/** An entry in force with the parts of its name. */
export type Listed = Revocation & { readonly issuer: string | null; readonly subject: string };

/** The screen *Revoke*: a form, and what is revoked. */
export function RevokeScreen(props: {
  readonly entries: readonly Listed[];
  readonly isAnswering: boolean;
  readonly hasMore: boolean;
  readonly isShared: boolean;
  readonly mayAct: boolean;
  readonly scope: string;
  readonly csrf: string;
  readonly problem: string | null;
  readonly values: FormValues;
  readonly boundSeconds: number;
}) {
  const { problem, isAnswering, mayAct, isShared, scope } = props;
  return (
    <>
      <Heading title="Revoke">
        {`Refuses a token, a caller, a key or a certificate. It holds everywhere ${boundText(props.boundSeconds)}.`}
      </Heading>
      {problem !== null && <Notice kind="bad" title={problem} />}
      {!isAnswering && (
        <Notice kind="bad" title="The store does not answer.">
          No revocation can be read or made now. A deployment can revoke instead: TGEFD_REVOKED_JTIS, TGEFD_REVOKED_SUBS
          and TGEFD_REVOKED_KIDS.
        </Notice>
      )}
      {!isShared && (
        <Notice kind="warn" title="Revocations hold in this process only.">
          Set TGEFD_REDIS_URL, so that all instances share them.
        </Notice>
      )}
      {mayAct ? (
        <RevokeForm csrf={props.csrf} values={props.values} />
      ) : (
        <Notice kind="info" title="You may look, but not revoke.">
          {`That needs the scope ${scope} too. Sign in with a token that holds it.`}
        </Notice>
      )}
      <Section title="In force">
        <Entries {...props} />
      </Section>
    </>
  );
}

const CHOICES = [['token', 'Token (pasted whole)'], ...Object.entries(KIND_NAMES)] as const;

function RevokeForm({ csrf, values }: { readonly csrf: string; readonly values: FormValues }) {
  return (
    <form class="sheet form" method="post" action="/revoke" autocomplete="off">
      <Csrf token={csrf} />
      <Field label="What" name="kind">
        <select id="kind" name="kind">
          {CHOICES.map(([kind, name]) => (
            <option value={kind} selected={kind === values.what}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Reason" name="reason" help="For your colleagues. The caller never sees it.">
        <input
          type="text"
          id="reason"
          name="reason"
          maxlength={256}
          value={values.reason}
          aria-describedby="reason-help"
        />
      </Field>
      <Field
        label="Token, name or id"
        name="id"
        help="As the token or the certificate says it, not a pseudonym. Of a pasted token only the id is read; a certificate may be pasted as PEM."
        wide
      >
        <textarea id="id" name="id" rows={3} required spellcheck={false} autocomplete="off" aria-describedby="id-help">
          {values.id}
        </textarea>
      </Field>
      <details class="field-wide" open={values.what === 'sub' || values.issuer !== ''}>
        <summary>Issuer, which tokens, until when</summary>
        <div class="form">
          <Times issuer={values.issuer} />
        </div>
      </details>
      <div class="actions">
        <button type="submit">Review</button>
        <span class="help">Nothing is revoked before you confirm it.</span>
      </div>
    </form>
  );
}

function Times({ issuer }: { readonly issuer: string }) {
  return (
    <>
      <Field label="Issuer of the caller" name="issuer" help="Empty: the caller of that name at every issuer.">
        <input
          type="text"
          id="issuer"
          name="issuer"
          value={visible(issuer, 512)}
          spellcheck={false}
          aria-describedby="issuer-help"
        />
      </Field>
      <Field label="Which tokens of the caller" name="cut">
        <select id="cut" name="cut">
          <option value="now">Up to now: a new one passes</option>
          <option value="always">All, new ones too</option>
          <option value="time">Issued before this time:</option>
        </select>
      </Field>
      <Field label="Issued before (UTC)" name="before">
        <input type="datetime-local" id="before" name="before" step="1" />
      </Field>
      <Field label="Until (UTC)" name="expires" help="Empty: a token until it expires, all else for 7 days.">
        <input type="datetime-local" id="expires" name="expires" step="1" aria-describedby="expires-help" />
      </Field>
    </>
  );
}

function Entries(props: Parameters<typeof RevokeScreen>[0]) {
  const { entries, mayAct, csrf, isAnswering, hasMore } = props;
  if (!isAnswering) return <Empty title="Unknown: the store does not answer." />;
  if (entries.length === 0) return <Empty title="Nothing is revoked." />;
  const head = [
    ['What', 'nowrap'],
    ['Name', 'wide'],
    ['Refuses'],
    ['Until (UTC)'],
    ['Reason', 'wide'],
    ['Act'],
  ] as const;
  return (
    <>
      {hasMore && (
        <p class="quiet">{`${entries.length} entries are shown. There are more: see the command revocations list.`}</p>
      )}
      <Table label="Revocations in force" head={mayAct ? head : head.slice(0, 5)}>
        {entries.map((entry) => (
          <Entry entry={entry} csrf={mayAct ? csrf : null} />
        ))}
      </Table>
    </>
  );
}

/** One entry. `csrf`: null where it may not be taken back. */
function Entry({ entry, csrf }: { readonly entry: Listed; readonly csrf: string | null }) {
  const { beforeSeconds, expiresAtSeconds, subject, issuer } = entry;
  return (
    <tr>
      <td class="nowrap">{KIND_NAMES[entry.kind]}</td>
      <td data-label="Name">
        <span>
          <code>{visible(subject, 160)}</code>
          {issuer !== null && <span class="sub">{`at ${visible(issuer, 160)}`}</span>}
        </span>
      </td>
      <td data-label="Refuses">
        {beforeSeconds === null || beforeSeconds >= expiresAtSeconds
          ? 'always'
          : `issued before ${dateTime(beforeSeconds * 1000)}`}
      </td>
      <td data-label="Until (UTC)">{dateTime(expiresAtSeconds * 1000)}</td>
      <td data-label="Reason">
        <span>
          {entry.reason === null ? '–' : visible(entry.reason, 256)}
          <span class="sub">{`by ${visible(entry.by, 60)}`}</span>
        </span>
      </td>
      {csrf !== null && (
        <td>
          <form method="post" action="/revoke/take-back">
            <Csrf token={csrf} />
            <input type="hidden" name="kind" value={entry.kind} />
            <input type="hidden" name="id" value={subject} />
            <input type="hidden" name="issuer" value={issuer ?? ''} />
            <input type="hidden" name="listed" value={issuer === null ? 'yes' : 'no'} />
            <button class="second small" type="submit" aria-label={`Take back ${visible(subject, 60)}`}>
              Take back
            </button>
          </form>
        </td>
      )}
    </tr>
  );
}
