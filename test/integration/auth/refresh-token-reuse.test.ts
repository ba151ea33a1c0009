import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generatePrivateJwk } from '../../../src/auth/session/dpop-key.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { createWorld, type World } from './identity-provider-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld({ refreshTokenReuse: 'until_confirmed' });
  await world.login();
});
afterEach(() => world.close());

const refreshToken = async () => (await world.store.get(['refresh_token'])).refresh_token ?? '';
/** One renewal, as by a command that runs to its end. */
async function renew() {
  const session = await openSession(world);
  return await session?.fetch(`${world.profile.gateway}/v1/orders/1`, { method: 'DELETE' }, ['orders:cancel']);
}

describe('a renewal whose answer was lost', () => {
  it('can be repeated, as long as nothing that came of it was used', async () => {
    const spent = await refreshToken();
    await renew();
    const lost = await refreshToken();
    // The machine is where it was before the answer: killed between the answer and the write.
    await world.store.set({ refresh_token: spent });
    expect((await renew())?.status).toBe(200);
    expect((await renew())?.status).toBe(200);
    // The lost one has become worthless.
    await world.store.set({ refresh_token: lost });
    await expect(renew()).rejects.toMatchObject({ code: 'login_required' });
  });

  it('can be repeated several times', async () => {
    const spent = await refreshToken();
    for (let times = 0; times < 3; times++) {
      await world.store.set({ refresh_token: spent });
      expect((await renew())?.status).toBe(200);
    }
  });

  it('is theft once its successor was used: the session ends', async () => {
    const spent = await refreshToken();
    await renew();
    await renew();
    const current = await refreshToken();
    await world.store.set({ refresh_token: spent });
    await expect(renew()).rejects.toMatchObject({ code: 'login_required' });
    await world.store.set({ refresh_token: current });
    expect(await renew()).toBeUndefined();
  });

  it('can’t be repeated with another key', async () => {
    const spent = await refreshToken();
    await renew();
    await world.store.set({ refresh_token: spent, dpop_key: JSON.stringify(await generatePrivateJwk()) });
    await expect(renew()).rejects.toMatchObject({ code: 'login_required' });
  });
});
