import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalClient } from '../../../src/auth/approval-client.ts';
import type { ResolvedProfile } from '../../../src/auth/profile.ts';
import { createWorld, type World } from './identity-provider-world.ts';
import { aMessage, anOrder } from './order-details.ts';

let world: World;
let live: ResolvedProfile;
beforeEach(async () => {
  world = await createWorld();
  live = { ...world.profile, environment: 'live' };
  await world.login();
});
afterEach(() => world.close());

const MINUTE = 60_000;
/** Asks for an order (or something else) this long after now. */
async function ask(profile: ResolvedProfile, later = 0, what: typeof anOrder | typeof aMessage = anOrder) {
  const clock = { now: () => Date.now() + later, sleep: () => Promise.resolve() };
  const { details, message } = what(profile.audience);
  return await createApprovalClient({ ...world, profile, clock }).request(details, message, 300);
}
const refusal = { code: 'login_required', message: expect.stringContaining('fresh sign-in') };

describe('the first live order of a session', () => {
  it('may be asked for right after signing in, and later ones then too', async () => {
    await ask(live, 14 * MINUTE);
    await ask(live, 1000 * MINUTE);
  });

  it('needs a fresh sign-in a quarter of an hour later; nobody is asked on the phone', async () => {
    await expect(ask(live, 16 * MINUTE)).rejects.toMatchObject(refusal);
    expect(await world.phone.requests('alice')).toEqual([]);
    await world.login();
    await ask(live);
  });

  it('needs it again after signing in anew', async () => {
    await ask(live);
    await world.login();
    await expect(ask(live, 16 * MINUTE)).rejects.toMatchObject(refusal);
  });

  it('counts by the profile’s own limit', async () => {
    await expect(ask({ ...live, live_login_max_age: 60 }, 2 * MINUTE)).rejects.toMatchObject(refusal);
    await ask({ ...live, live_login_max_age: 3600 }, 59 * MINUTE);
  });

  it('is not let through by a clock that was set back, or a session that does not know its age', async () => {
    await expect(ask(live, -5 * MINUTE)).rejects.toMatchObject(refusal);
    const { session = '' } = await world.store.get(['session']);
    const { signed_in_at: _, ...rest } = JSON.parse(session);
    await world.store.set({ session: JSON.stringify(rest) });
    await expect(ask(live)).rejects.toMatchObject(refusal);
  });

  it('is not a message: that needs no fresh sign-in, and lets no later order through', async () => {
    await ask(live, 1000 * MINUTE, aMessage);
    await ask(live, 0, aMessage);
    await expect(ask(live, 16 * MINUTE)).rejects.toMatchObject(refusal);
  });

  it('on paper needs none', async () => {
    await ask(world.profile, 1000 * MINUTE);
  });
});
