import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it, onTestFinished } from 'vitest';
import { createPeopleStore } from '../../../../src/store/home/people.ts';
import { prepareHomeDatabase } from '../../../../src/store/home/schema.ts';
import { createSessionStore, type SessionStore } from '../../../../src/store/home/sessions.ts';
import { VirtualClock } from '../../../virtual-clock.ts';

function sessionsOf(...usernames: string[]): SessionStore {
  const database = prepareHomeDatabase(new Database(':memory:'));
  onTestFinished(() => void database.close());
  const clock = new VirtualClock();
  const people = createPeopleStore(database, () => clock.now());
  for (const username of usernames) people.add({ username, name: username, email: '' });
  return createSessionStore({ database, people, clock, formKey: 'of the test' });
}

it('signing a person out everywhere ends their sessions and the one-time links they have not used', () => {
  const sessions = sessionsOf('alice', 'bob');
  const cookie = sessions.open({
    username: 'alice',
    by: 'link',
    browser: 'Safari on iPhone',
    key: undefined,
  });
  const [hers, his] = [sessions.issueTicket('alice'), sessions.issueTicket('bob')];
  sessions.endAll('alice');
  expect(sessions.find(cookie, { key: undefined, isTheirs: true })).toBeUndefined();
  expect(sessions.redeemTicket(hers ?? '')).toBeUndefined();
  // Other people's links still open a session.
  expect(sessions.redeemTicket(his ?? '')).toBe('bob');
});
