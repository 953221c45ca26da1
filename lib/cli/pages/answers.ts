import type { Reason } from '../../decision/reason.ts';
import { codeOf, codes, denialAnswer, statusOf } from '../../respond/denial.ts';
import { reasonMeanings, reasonNames } from './reasons.ts';
import { generatedFrom, markdownTable } from './table.ts';

/** A reason with no facts: enough for its code and status, which its name alone decides. */
function bare(reason: Reason['reason']): Reason {
  return { reason } as Reason;
}

function codeRow(code: string): readonly string[] {
  const names = reasonNames.filter((name) => codeOf(bare(name)) === code);
  const { status, title, detail } = problemOf(names[0] ?? 'internal_error');
  return [`${status}`, `\`${code}\``, title, detail, names.map((name) => `\`${name}\``).join(', ')];
}

function problemOf(name: Reason['reason']): { status: number; title: string; detail: string } {
  const facts = {
    reason: name,
    scope: '',
    budget: '',
    retryAfterSeconds: 1,
    allow: [],
    acr: [],
    maximumAgeSeconds: null,
  };
  const { body } = denialAnswer(facts as unknown as Reason, { requestId: '', authMethod: 'none' });
  return JSON.parse(body ?? '{}') as { status: number; title: string; detail: string };
}

/** `docs/reference/answers.md`: every code that a caller may see, and every reason that a record may hold. */
export function answersPage(): string {
  return `${[
    '# Answers',
    '',
    generatedFrom('lib/respond'),
    '',
    'A denial is a problem (RFC 9457): `application/problem+json` with `type`, `title`, `status`, `detail`, `code` and',
    '`request_id`, and `Cache-Control: no-store`. `type` is `urn:problem-type:tgefd:` and the code. For a spent budget it is',
    '`https://iana.org/assignments/http-problem-types#quota-exceeded`. No answer says which check of a credential failed.',
    'The record has the reason, and so has [`explain`](../guides/operate.md#why-was-this-request-refused).',
    '',
    '```json',
    JSON.stringify(
      {
        type: 'urn:problem-type:tgefd:insufficient_scope',
        title: 'Insufficient scope',
        status: 403,
        detail: 'forbidden',
        code: 'insufficient_scope',
        request_id: '01M8DNDDJNXN5QJTXWW4WQGCKG',
        scope: 'orders:write',
      },
      null,
      2,
    ),
    '```',
    '',
    '## Codes',
    '',
    ...markdownTable(['status', '`code`', '`title`', '`detail`', 'reasons'], codes.map(codeRow)),
    '',
    '## Fields of an answer',
    '',
    ...markdownTable(
      ['field', 'when'],
      [
        ['`x-request-id`', 'always: the id of the request, as in the record and the log'],
        ['`WWW-Authenticate`', '401 and 403 of scopes: the challenge (RFC 6750, RFC 9449, RFC 9470)'],
        ['`Allow`', '405: methods of the path'],
        ['`Retry-After`', '429 and 503: whole seconds'],
        ['`RateLimit-Policy`, `RateLimit`', 'if a budget was checked: every policy, and the one with the least left'],
        ['`DPoP-Nonce`', 'if a nonce is required'],
      ],
    ),
    '',
    '## Reasons',
    '',
    'The record and the log have the reason. The caller never sees it.',
    '',
    ...markdownTable(
      ['reason', 'status', '`code`', 'meaning'],
      reasonNames.map((name) => [
        `\`${name}\``,
        `${statusOf(bare(name))}`,
        `\`${codeOf(bare(name))}\``,
        reasonMeanings[name],
      ]),
    ),
  ].join('\n')}\n`;
}
