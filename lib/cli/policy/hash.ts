import { policyHash } from '../../config/policy/policy-hash.ts';
import { type Command, options } from '../command.ts';
import { policyOf } from './files.ts';

export const hash: Command = {
  summary: 'prints the hash under which records name a policy',
  usage: 'policy hash [FILE] [--json]',
  async run(args, console) {
    const { values, positionals } = options(args, { json: { type: 'boolean', default: false } }, true);
    const config = await policyOf(positionals[0], console);
    if (config === null) return 1;
    const policy = await policyHash(config);
    console.out(values.json ? JSON.stringify({ policy }) : policy);
    return 0;
  },
};
