import { readFileSync } from 'node:fs';
import { descendantsOf } from '../../process-usage.js';
import type { Attack } from '../attack.js';

const SECRETS = {
  CAPTION_OPERATOR_TOKEN: 'operator-token-of-the-bench',
  CAPTION_E2EE_KEY: 'room-key-of-the-bench',
} as const;

export const secretsOfChildren: Attack = {
  name: 'F17',
  title: 'secrets in the environment of the processes that hear everybody',
  venue: 'gateway',
  environment: SECRETS,
  run({ target, tally }) {
    const children = descendantsOf(target.pid);
    if (children.length === 0) tally.breach('no child could be looked at');
    for (const child of children) {
      const environment = readFileSync(`/proc/${child}/environ`, 'latin1');
      for (const secret of [...Object.values(SECRETS), target.apiSecret])
        if (environment.includes(secret)) tally.breach('a child holds a secret of the gateway');
    }
    tally.remark(`${children.length} children`);
    return Promise.resolve();
  },
};
