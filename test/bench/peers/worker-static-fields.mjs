/** A Worker that reads one field and answers with as many as ours, and does nothing else. */
import { FIELDS } from './fields.mjs';

const fields = [['x-auth-request-user', 'caller-1-0123456789ab'], ...FIELDS];

export default {
  fetch: ({ headers }) => new Response(null, { status: headers.has('authorization') ? 200 : 401, headers: fields }),
};
