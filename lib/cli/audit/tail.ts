import { auditRecordSchema, budgetChangeSchema, secretAccessSchema } from '../../audit/schema.ts';
import { sleep } from '../../codec/sleep.ts';
import { accessLine, readableLine } from '../../verify/format.ts';
import { type Command, options, Usage } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { readJson } from './parts.ts';

const TAIL_PAGE = 500;
const TAIL_WAIT_MS = 500;

export const tail: Command = {
  summary: 'shows decisions as they are made, from the outbox, until it is interrupted',
  usage: 'audit tail [--json] [--identity NAME] [--for SECONDS]',
  async run(args, console) {
    const { values } = options(args, {
      json: { type: 'boolean', default: false },
      identity: { type: 'string' },
      for: { type: 'string' },
    });
    if (values.for !== undefined && !/^\d{1,6}$/.test(values.for))
      throw new Usage('--for is a whole number of seconds');
    const composed = await composeForCommand(console);
    if (composed === null) return 1;
    const { outbox, config, pseudonyms } = composed;
    if (outbox === null || !config.settings.redisUrl) {
      console.err('there is no shared outbox to look at: TGEFD_REDIS_URL is not set');
      return 1;
    }
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
        if (access.success) console.out(values.json ? text : accessLine(access.data));
        else if (budgetChangeSchema.safeParse(entry).success) console.out(text);
        else if (!parsed.success) console.err('an outbox entry is no audit record');
        else if (wanted === null || (parsed.data.identity !== null && wanted.includes(parsed.data.identity))) {
          console.out(values.json ? text : readableLine(parsed.data));
        }
      }
      if (page.entries.length < TAIL_PAGE) await sleep(TAIL_WAIT_MS);
    }
    return 0;
  },
};
