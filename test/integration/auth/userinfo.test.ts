import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { fetchUserinfo } from '../../../src/auth/session/userinfo.ts';
import { createWorld, type World } from './identity-provider-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
  await world.login();
});
afterEach(() => world.close());

/** The network, with one answer of the userinfo endpoint put in another's place. */
const answering =
  (body: unknown, status = 200): typeof fetch =>
  async (input, init) => {
    const response = await fetch(input, init);
    return new URL(String(input)).pathname === '/userinfo' ? Response.json(body, { status }) : response;
  };

describe('userinfo', () => {
  it('says who is signed in, by the provider’s own word, and leaves the gateway’s token alone', async () => {
    const session = await openSession(world);
    await session?.fetch(`${world.profile.gateway}/v1/account`, {}, ['portfolio:read']);
    const before = await world.store.get(['access_token']);
    expect(await fetchUserinfo(world)).toEqual({
      sub: 'alice',
      name: 'Alice Example',
      email: 'alice@sandbox.example',
    });
    expect(await world.store.get(['access_token'])).toEqual(before);
  });

  it('about somebody else is refused', async () => {
    await expect(fetchUserinfo({ ...world, fetch: answering({ sub: 'bob' }) })).rejects.toMatchObject({
      code: 'provider_error',
    });
  });

  it('shows no control characters of a name', async () => {
    const user = await fetchUserinfo({
      ...world,
      fetch: answering({ sub: 'alice', name: 'A\u001b[31mB\u202e' }),
    });
    expect(user.name).toBe('AB');
  });

  it('of a session that was ended asks for a new sign-in', async () => {
    await world.store.set({ refresh_token: 'ended' });
    await expect(fetchUserinfo(world)).rejects.toMatchObject({ code: 'login_required' });
  });

  it('needs a session', async () => {
    await world.store.delete(['session']);
    await expect(fetchUserinfo(world)).rejects.toMatchObject({ code: 'login_required' });
  });
});
