import { describe, expect, it } from 'vitest';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import { alice, kernelWorld } from './kernel-world.ts';

const unreachable = (retryAfter?: number) =>
  new TradeAgentError('provider_unreachable', 'it does not answer', {
    details: retryAfter === undefined ? {} : { retryAfter },
  });

describe('asking the owner', () => {
  it('names them, the gateway and the whole proposal, for as long as it lives', async () => {
    const world = kernelWorld();
    const { id, code, expiresAt } = await world.propose('5', { ttl: 600 });
    expect(world.questions).toEqual([
      {
        asked: { sub: 'alice', name: undefined, email: undefined },
        scope: 'orders:write',
        bindingMessage: `BUY 5 AAPL ${code}`,
        details: expect.objectContaining({ type: 'trade_order', proposal: id, code, client: 'trade-agent' }),
        expiresIn: 600,
        notificationToken: expect.stringMatching(/^[\w-]{43}\.[\w-]{43}$/),
      },
    ]);
    expect(expiresAt).toBe(world.clock.now() + 600_000);
  });

  it('ends at the proposal’s deadline, even if the provider would take an answer for longer', async () => {
    const world = kernelWorld();
    const { request } = world.asking;
    Object.assign(world.asking, {
      request: async (...given: Parameters<typeof request>) => {
        const sent = await request(...given);
        return { ...sent, expiresAt: sent.expiresAt + 3_600_000 };
      },
    });
    const deadline = world.clock.now() + 300_000;
    const { id, expiresAt } = await world.propose('5', { ttl: 300 });
    expect(expiresAt).toBe(deadline);
    await world.sleep(310_000);
    expect(await world.row(id)).toMatchObject({ state: 'expired', reason: { code: 'approval_expired' } });
    // The phone stops showing it as open.
    expect(world.told.at(-1)).toMatchObject({ authReqId: 'auth-1', state: 'expired' });
  });

  it('is tried again while the provider can’t be reached, twice', async () => {
    const world = kernelWorld();
    let fails = 2;
    world.onRequest = async () => {
      if (fails-- > 0) throw unreachable();
    };
    expect(await world.propose()).toMatchObject({ state: 'requested' });
    expect(world.questions[0]?.expiresIn).toBe(297);
    fails = 3;
    expect(await world.propose('6')).toMatchObject({
      state: 'blocked',
      reason: { code: 'provider_unreachable', text: expect.stringContaining('could not be asked') },
    });
  });

  it('waits as long as the provider says, as often as it says so', async () => {
    const world = kernelWorld();
    let fails = 4;
    world.onRequest = async () => {
      if (fails-- > 0) throw unreachable(40);
    };
    const { id, state } = await world.propose();
    // Whoever proposes is not kept waiting for it.
    expect(state).toBe('drafted');
    await world.until(id, 'requested');
    expect(world.questions[0]?.expiresIn).toBe(140);
  });

  it('is not tried beyond the deadline', async () => {
    const world = kernelWorld();
    world.onRequest = async () => {
      throw unreachable(400);
    };
    expect(await world.propose()).toMatchObject({ state: 'blocked' });
  });

  it.each([
    [new TradeAgentError('provider_error', 'unknown_user_id'), 'provider_error'],
    [new TypeError('of the program'), 'provider_error'],
  ])('that is refused (%s) is not tried again', async (error, code) => {
    const world = kernelWorld();
    let tries = 0;
    world.onRequest = async () => {
      tries++;
      throw error;
    };
    expect(await world.propose()).toMatchObject({ state: 'blocked', reason: { code } });
    expect(tries).toBe(1);
  });

  it.each(['withdraw', 'halt'] as const)('%s while the question is on its way takes it back', async (end) => {
    const world = kernelWorld({ answers: ['approved'] });
    world.onRequest = async () => {
      const [open] = await world.kernel.list('alice', { state: 'open', limit: 1 });
      if (end === 'withdraw') await world.kernel.withdraw('alice', open?.id ?? '');
      else await world.kernel.halt(alice);
    };
    const { id } = await world.propose();
    await world.sleep(1_000);
    expect((await world.row(id)).state).toBe('cancelled');
    expect(world.told).toEqual([{ authReqId: 'auth-1', state: 'cancelled', text: 'withdrawn' }]);
    expect(world.polls).toEqual([]);
  });
});
