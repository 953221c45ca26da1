import type { Reason } from '../decision/reason.ts';
import type { Metrics } from './metrics.ts';

/** Why a message of MCP was refused; a closed list, so that no caller can grow the page. */
const MESSAGE_REFUSALS = [
  'field_missing',
  'field_repeated',
  'field_too_long',
  'field_malformed',
  'field_ambiguous',
  'version_unsupported',
  'field_mismatch',
  'body_encoding',
  'body_json',
  'body_message',
  'method_unknown',
  'name_unknown',
] as const;

type MessageRefusal = (typeof MESSAGE_REFUSALS)[number];

/** Makes what counts refused messages of MCP by what is wrong with them; other denials are left alone. */
export function countMessageRefusals(metrics: Metrics): (denial: Reason) => void {
  const refusals = metrics.counter('tgefd_mcp_refusals_total', 'MCP messages that were refused, by reason.', {
    reason: MESSAGE_REFUSALS,
  });
  return (denial) => {
    const reason = messageRefusal(denial);
    if (reason !== null) refusals.add({ reason });
  };
}

function messageRefusal(denial: Reason): MessageRefusal | null {
  switch (denial.reason) {
    case 'mcp_field_invalid':
      return denial.problem === 'unsupported' ? 'version_unsupported' : `field_${denial.problem}`;
    case 'mcp_mismatch':
      return 'field_mismatch';
    case 'mcp_body_invalid':
      return `body_${denial.problem}`;
    case 'endpoint_unknown':
      return denial.unknown === undefined ? null : `${denial.unknown}_unknown`;
    default:
      return null;
  }
}
