import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFileStore } from '../../../src/auth/credential-store/file-store.ts';
import { generatePrivateJwk } from '../../../src/auth/dpop-key.ts';
import { READ_SCOPES } from '../../../src/auth/profile.ts';
import type { Session } from '../../../src/auth/session.ts';
import { openSession } from '../../../src/auth/token-session.ts';
import { createWorld, options, play, type World } from './world.ts';

/** Alice's real session, as a run that asks for read scopes alone opens it. */
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
      value: 'planted-access-token',
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

it('an approved order that a read-only session may not send stays approved, and a later resume places it', async () => {
  const world = await createWorld();
  const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options('detach')));
  world.phone.decide('AAPL', 'approve');
  const limited = await play(
    (await world.agent({ session: await readOnlySession(world) })).resume(result.thread, options()),
  );
  expect(limited.result.approvals).toMatchObject([{ status: 'approved' }]);
  expect(limited.result.status).toBe('pending');
  expect(limited.events).toContainEqual(
    expect.objectContaining({
      type: 'notice',
      message: expect.stringMatching(/^The approved order was not sent: this run is read-only/),
    }),
  );
  expect(world.gateway.posts).toEqual([]);
  const free = await play((await world.agent()).resume(result.thread, options()));
  expect(free.result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] });
  expect(world.gateway.posts).toHaveLength(1);
});
