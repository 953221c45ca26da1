import { policyHash } from '../../config/policy/policy-hash.ts';
import { command } from '../command.ts';
import { policyOf, policyOperand } from './files.ts';

export const hash = command({
  summary: 'Prints the hash by which records name a policy.',
  operands: [policyOperand],
  examples: [{ line: 'policy hash policy.yaml', does: 'Prints the value of `policy` in records of this policy.' }],
  json: 'An object: `policy`.',
  async run(_, console, [file]) {
    const policy = await policyHash(await policyOf(file, console));
    console.answer({ policy });
    console.out(policy);
    return 0;
  },
});
