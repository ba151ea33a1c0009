import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireFreshLogin } from '../../../src/auth/session/live-login.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import type { ResolvedProfile } from '../../../src/config/profile.ts';
import { createWorld, type World } from './identity-provider-world.ts';

let world: World;
let live: ResolvedProfile;
beforeEach(async () => {
  world = await createWorld();
  live = { ...world.profile, environment: 'live' };
  await world.login();
});
afterEach(() => world.close());

const MINUTE = 60_000;
/** Proposes an order (or a message) this long after now. */
async function propose(profile: ResolvedProfile, later = 0, what: 'orders' | 'messages' = 'orders') {
  const clock = {
    now: () => Date.now() + later,
    monotonic: () => Date.now() + later,
    sleep: () => Promise.resolve(),
  };
  const session = await openSession({ ...world, profile });
  if (session === undefined) throw new Error('nobody is signed in');
  if (what === 'orders') await requireFreshLogin(profile, world.store, clock);
  const path = `${profile.gateway}/v1/proposals`;
  return await session.fetch(path, { method: 'POST', body: '{}' }, [`${what}:propose`]);
}
const refusal = { code: 'login_required', message: expect.stringContaining('fresh sign-in') };

describe('the first live order of a session', () => {
  it('may be asked for right after signing in, and later ones then too', async () => {
    await propose(live, 14 * MINUTE);
    await propose(live, 1000 * MINUTE);
  });

  it('needs a fresh sign-in a quarter of an hour later; the gateway hears nothing of it', async () => {
    const { session = '' } = await world.store.get(['session']);
    const old = { ...JSON.parse(session), signed_in_at: Date.now() / 1000 - 16 * 60 };
    await world.store.set({ session: JSON.stringify(old) });
    await expect(propose(live)).rejects.toMatchObject(refusal);
    const opened = await openSession({ ...world, profile: live });
    const path = `${live.gateway}/v1/proposals`;
    await expect(opened?.fetch(path, { method: 'POST', body: '{}' }, ['orders:propose'])).rejects.toMatchObject(
      refusal,
    );
    expect(world.received).toEqual([]);
    await world.login();
    await propose(live);
  });

  it('needs it again after signing in again', async () => {
    await propose(live);
    await world.login();
    await expect(propose(live, 16 * MINUTE)).rejects.toMatchObject(refusal);
  });

  it('counts by the profile’s own limit', async () => {
    await expect(propose({ ...live, live_login_max_age: 60 }, 2 * MINUTE)).rejects.toMatchObject(refusal);
    await propose({ ...live, live_login_max_age: 3600 }, 59 * MINUTE);
  });

  it('is not let through by a clock that was set back, or a session that does not know its age', async () => {
    await expect(propose(live, -5 * MINUTE)).rejects.toMatchObject(refusal);
    const { session = '' } = await world.store.get(['session']);
    const { signed_in_at: _, ...rest } = JSON.parse(session);
    await world.store.set({ session: JSON.stringify(rest) });
    await expect(propose(live)).rejects.toMatchObject(refusal);
  });

  it('is not a message: that needs no fresh sign-in, and lets no later order through', async () => {
    await propose(live, 1000 * MINUTE, 'messages');
    await propose(live, 0, 'messages');
    await expect(propose(live, 16 * MINUTE)).rejects.toMatchObject(refusal);
  });

  it('on paper needs none', async () => {
    await propose(world.profile, 1000 * MINUTE);
  });
});
