import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { generatePrivateJwk } from '../../../src/auth/session/dpop-key.ts';
import type { Session } from '../../../src/auth/session/session.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { createWorld, options, play, type World } from './world.ts';

async function readOnlySession({ profile, session }: World): Promise<Session> {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-read-only-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const store = openFileStore({ folder, profile: 'test' });
  const { sub } = session.user;
  await store.set({
    session: JSON.stringify({ issuer: profile.issuer, client_id: 'trade-agent', sub, scopes: READ_SCOPES }),
    refresh_token: 'planted-refresh-token',
    dpop_key: JSON.stringify(await generatePrivateJwk()),
    access_token: JSON.stringify({
      value: `PLANTED-SESSION-TOKEN.${sub}`,
      type: 'bearer',
      scopes: READ_SCOPES,
      expiresAt: Date.now() + 600_000,
      sub,
    }),
  });
  const home = { config: folder, data: folder, log: folder, sandbox: folder };
  const opened = await openSession({ profile, store, home, readOnly: true });
  if (opened === undefined) throw new Error('nobody is signed in');
  return opened;
}

it('a read-only session proposes nothing, and hears what became of what was proposed before', async () => {
  const world = await createWorld();
  const limited = await world.agent({ session: await readOnlySession(world) });
  const refused = await play(limited.run({ prompt: 'buy 5 AAPL' }, options()));
  expect(refused.result).toMatchObject({ status: 'failed', error: { code: 'insufficient_scope' } });
  expect(world.phone.posts).toEqual([]);
  const { result } = await world.run('buy 5 AAPL', 'detach');
  world.phone.decide('AAPL', 'approve');
  const told = await play(limited.resume(result.thread, options()));
  expect(told.result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] });
  expect(world.gateway.book).toHaveLength(1);
});
