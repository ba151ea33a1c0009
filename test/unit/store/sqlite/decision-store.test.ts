import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it } from 'vitest';
import type { NewPolicyDecision } from '../../../../src/store/decision-store.ts';
import { createDecisionStore } from '../../../../src/store/sql/decision-store.ts';
import { prepareGatewayDatabase } from '../../../../src/store/sqlite/gateway-stores.ts';
import { createSqliteTransactions } from '../../../../src/store/sqlite/sql-database.ts';

const note = (sub: string, subjectId: string, effect: 'allow' | 'deny'): NewPolicyDecision => ({
  ...{ sub, subjectId, effect, client: 'client', account: 'PA3ALICE01', action: 'place', stage: 'order' },
  ...{ reasons: [], texts: [], policy: 'digest', facts: {} },
});

it('keeps the newest refusals of a person, and the newest orders apart from them', async () => {
  const database = new Database(':memory:');
  prepareGatewayDatabase(database);
  const decisions = createDecisionStore(createSqliteTransactions(database), { most: 3, every: 1 });
  await decisions.note(note('alice', 'the order', 'allow'), 1);
  await decisions.note(note('bob', 'of bob', 'deny'), 1);
  for (let number = 0; number < 10; number++) await decisions.note(note('alice', String(number), 'deny'), number);
  const ids = async (sub: string) => (await decisions.list(sub, { limit: 100 })).map(({ subjectId }) => subjectId);
  expect(await ids('alice')).toEqual(['9', '8', '7', 'the order']);
  expect(await ids('bob')).toEqual(['of bob']);
});
