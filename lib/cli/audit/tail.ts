import { auditRecordSchema, budgetChangeSchema, secretAccessSchema } from '../../audit/schema.ts';
import { sleep } from '../../codec/sleep.ts';
import { accessLine, readableLine } from '../../verify/format.ts';
import { command, Failure, Usage } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { readJson } from './parts.ts';

const TAIL_PAGE = 500;
const TAIL_WAIT_MS = 500;

export const tail = command({
  summary: 'Shows decisions as they are made, from the outbox, until it is interrupted.',
  options: {
    identity: { type: 'string', value: 'NAME', means: 'Only decisions about this caller.' },
    for: { type: 'string', value: 'SECONDS', means: 'Ends after so many seconds.' },
  },
  examples: [
    { line: 'audit tail --identity alice', does: 'Shows the requests of alice and their answers.' },
    { line: 'audit tail --for 60 --json', does: 'Prints the records of the next minute.' },
  ],
  json: 'One record a line, as it was stored.',
  async run(values, console) {
    if (values.for !== undefined && !/^\d{1,6}$/.test(values.for))
      throw new Usage('--for is a whole number of seconds');
    const { outbox, config, pseudonyms } = await composeForCommand(console);
    if (outbox === null || !config.settings.redisUrl)
      throw new Failure('not_configured', 'there is no shared outbox to look at: TGEFD_REDIS_URL is not set');
    console.progress('');
    const wanted = values.identity === undefined ? null : await pseudonyms.all('identity', values.identity);
    const endMs = values.for === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(values.for) * 1000;
    let { lastId } = await outbox.follow(null, 1);
    while (Date.now() < endMs) {
      const page = await outbox.follow(lastId, TAIL_PAGE);
      lastId = page.lastId;
      for (const { record: text } of page.entries) {
        const entry = readJson(text);
        const parsed = auditRecordSchema.safeParse(entry);
        const access = secretAccessSchema.safeParse(entry);
        if (access.success) console.document(values.json ? text : accessLine(access.data));
        else if (budgetChangeSchema.safeParse(entry).success) console.document(text);
        else if (!parsed.success) console.err('an outbox entry is no audit record');
        else if (wanted === null || (parsed.data.identity !== null && wanted.includes(parsed.data.identity))) {
          console.document(values.json ? text : readableLine(parsed.data));
        }
      }
      if (page.entries.length < TAIL_PAGE) await sleep(TAIL_WAIT_MS);
    }
    return 0;
  },
});
