import type { WantedRevocation } from '../../revoke/entry.ts';
import type { Revocation } from '../../revoke/revocation.ts';
import { dateTime, duration, visible } from '../page/format.ts';
import { Csrf, Facts, Heading } from '../page/parts.tsx';
import type { Wanted } from './wanted.ts';
import { boundText, KIND_NAMES } from './words.ts';

type Asked = Extract<Wanted, { found: 'entry' }>;

/** The question before a revocation. */
export function Confirm(props: {
  readonly asked: Asked;
  readonly entry: Revocation;
  readonly nowSeconds: number;
  readonly boundSeconds: number;
  readonly csrf: string;
}) {
  const { asked, entry, csrf, boundSeconds, nowSeconds } = props;
  const { wanted, token, cut } = asked;
  const facts: readonly (readonly [string, string | null])[] = [
    [wanted.kind === 'sub' ? 'name' : 'id', wanted.id],
    ['issuer', wanted.issuer ?? token?.issuer ?? null],
    ['subject', token?.subject ?? null],
  ];
  return (
    <>
      <Heading title="Revoke this?">
        {boundSeconds === 0
          ? 'It is refused with the next decision. You can take it back.'
          : `It is refused everywhere after at most ${boundSeconds} s. You can take it back.`}
      </Heading>
      <dl class="facts facts-sheet">
        <dt>what</dt>
        <dd>{KIND_NAMES[wanted.kind]}</dd>
        <Facts of={facts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))} />
        <dt>refuses</dt>
        <dd>{refusedText(entry, cut)}</dd>
        <dt>until</dt>
        <dd>{`${dateTime(entry.expiresAtSeconds * 1000)} UTC, in ${duration(entry.expiresAtSeconds - nowSeconds)}`}</dd>
        <dt>reason</dt>
        <dd>{wanted.reason ? visible(wanted.reason, 256) : 'none given'}</dd>
      </dl>
      {token !== null && (
        <p class="quiet">This is what the pasted token says of itself. Its signature was not checked.</p>
      )}
      <form class="actions" method="post" action="/revoke/confirmed">
        <Csrf token={csrf} />
        <input type="hidden" name="kind" value={wanted.kind} />
        <input type="hidden" name="id" value={wanted.id} />
        <input type="hidden" name="issuer" value={wanted.issuer ?? ''} />
        <input type="hidden" name="cut" value={cut} />
        <input type="hidden" name="before" value={wanted.before === undefined ? '' : String(wanted.before)} />
        <input type="hidden" name="expires" value={wanted.expiresAt === undefined ? '' : String(wanted.expiresAt)} />
        <input type="hidden" name="reason" value={wanted.reason ?? ''} />
        <button class="danger" type="submit">
          Revoke now
        </button>
        <a href="/revoke">Cancel</a>
      </form>
    </>
  );
}

function refusedText({ kind, beforeSeconds }: Revocation, cut: Asked['cut']): string {
  if (kind !== 'sub') return 'every request with it';
  if (cut === 'always') return 'every request of this caller, with new tokens too';
  if (cut === 'now') return 'tokens issued up to the moment you confirm; a new token passes';
  return `tokens issued before ${dateTime((beforeSeconds ?? 0) * 1000)} UTC, and tokens without a time of issue`;
}

/** What was just done, with the time that is left until it holds everywhere. */
export function Done(props: {
  readonly wanted: Pick<WantedRevocation, 'kind' | 'id' | 'issuer'>;
  readonly boundSeconds: number;
  readonly csrf: string;
  readonly isTakenBack: boolean;
}) {
  const { wanted, boundSeconds, csrf, isTakenBack } = props;
  return (
    <>
      <Heading title={isTakenBack ? 'Taken back' : 'Revoked'}>
        {`${KIND_NAMES[wanted.kind]} `}
        <code>{visible(wanted.id)}</code>
      </Heading>
      <div class="sheet countdown">
        <p class="quiet">{isTakenBack ? 'Passes again' : 'Is refused'}</p>
        <p class="big" data-bound-sec={boundSeconds}>
          {boundText(boundSeconds)}
        </p>
        <p class="is-good" role="status">
          <span data-bound-done hidden>
            {isTakenBack ? 'Every instance lets it pass again.' : 'Every instance refuses it.'}
          </span>
        </p>
      </div>
      <div class="actions">
        {!isTakenBack && (
          <form method="post" action="/revoke/take-back">
            <Csrf token={csrf} />
            <input type="hidden" name="kind" value={wanted.kind} />
            <input type="hidden" name="id" value={wanted.id} />
            <input type="hidden" name="issuer" value={wanted.issuer ?? ''} />
            <button class="second" type="submit">
              Take it back
            </button>
          </form>
        )}
        <a href="/revoke">Back to the list</a>
      </div>
    </>
  );
}
