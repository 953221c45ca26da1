import { audit } from './audit/audit.ts';
import type { Group } from './command.ts';
import { completionOf } from './completion/completion.ts';
import { checkConfig } from './config.ts';
import { doctor } from './doctor/doctor.ts';
import { egress } from './egress.ts';
import { explain } from './explain.ts';
import { limits } from './limits.ts';
import { docsOf } from './pages/docs.ts';
import { policy } from './policy/policy.ts';
import { revocations, revoke } from './revocations.ts';
import { keys } from './secrets/keys.ts';
import { rotate } from './secrets/rotate.ts';
import { token } from './token.ts';

/** Every command of the program. */
export const program: Group = {
  summary: 'Operator commands of the edge authorizer.',
  commands: {
    'check-config': checkConfig,
    explain,
    doctor,
    policy,
    keys,
    rotate,
    revoke,
    revocations,
    limits,
    audit,
    egress,
    token,
    completion: completionOf(() => program),
    docs: docsOf(() => program),
  },
};
