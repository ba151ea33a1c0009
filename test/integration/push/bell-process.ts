// A process that rings, for push-crash.test.ts to kill: node bell-process.ts DATABASE ORIGIN-OF-PUSH-SERVICE.
// By lines on standard input: `subscribe JSON`, `ask TTL-MS`, `decide`. It answers each with `done`.

import { createInterface } from 'node:readline';
import Database from 'better-sqlite3-multiple-ciphers';
import { createApprovalRequests } from '../../../src/home/identity-provider/approval-requests.ts';
import { createPhonePush } from '../../../src/home/phone/push/phone-push.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { signingKey } from './signing-key.ts';

const [, , file = ''] = process.argv;
const database = prepareHomeDatabase(new Database(file));
const requests = createApprovalRequests(database, systemClock);
const push = createPhonePush(
  {
    issuer: 'https://home.example.net',
    database,
    requests,
    keys: { list: async (user) => [signingKey(user)] },
    clock: systemClock,
    closing: new AbortController().signal,
    fetch,
    onError: (problem) => process.stderr.write(`${problem}\n`),
  },
  { loopback: true },
);

const details = proposalDetails('order');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, rest = ''] = line.split(/ (.*)/);
  if (command === 'subscribe') {
    const owner = { user: 'alice', session: 'a-session', credential: 'alices-key', name: 'Chrome' };
    push.subscriptions.add(owner, JSON.parse(rest));
  }
  if (command === 'ask') {
    requests.add({
      authReqId: 'auth-req',
      user: 'alice',
      clientId: 'trade-agent-gateway',
      clientName: 'The gateway',
      code: details.code,
      bindingMessage: undefined,
      details,
      expiresAt: Date.now() + Number(rest),
    });
  }
  if (command === 'decide') requests.decide(requests.pending('alice')[0]?.id ?? '', 'approve');
  process.stdout.write('done\n');
}
