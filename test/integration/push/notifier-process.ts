// A process that rings, for push-crash.test.ts to kill: node notifier-process.ts DATABASE ORIGIN-OF-PUSH-SERVICE.
// By lines on standard input: `subscribe JSON`, `ask TTL-MS`, `decide`. It answers each with `done`.

import { createInterface } from 'node:readline';
import Database from 'better-sqlite3-multiple-ciphers';
import { createApprovalRequests } from '../../../src/home/identity-provider/approval-requests.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { asking, phonePush } from './notifier-world.ts';

const [, , file = ''] = process.argv;
const database = createSqliteTransactions(prepareHomeDatabase(new Database(file)));
const requests = createApprovalRequests(database, systemClock);
const push = await phonePush({
  database,
  requests,
  clock: systemClock,
  closing: new AbortController().signal,
  onError: (problem) => process.stderr.write(`${problem}\n`),
});

const details = proposalDetails('order');
for await (const line of createInterface({ input: process.stdin })) {
  const [command, rest = ''] = line.split(/ (.*)/);
  if (command === 'subscribe') {
    const owner = { user: 'alice', session: 'a-session', credential: 'alices-key', name: 'Chrome' };
    await push.subscriptions.add(owner, JSON.parse(rest));
  }
  if (command === 'ask') {
    const expiresAt = Date.now() + Number(rest);
    await requests.add(asking('auth-req', { user: 'alice', details, expiresAt }));
  }
  if (command === 'decide') {
    const [pending] = await requests.pending('alice');
    await requests.decide(pending?.id ?? '', 'approve');
  }
  process.stdout.write('done\n');
}
