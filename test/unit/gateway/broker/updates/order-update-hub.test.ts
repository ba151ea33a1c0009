import { afterEach, describe, expect, it } from 'vitest';
import type { ReportedChange, ResultChangeStream } from '../../../../../src/approval/kind.ts';
import type { OpenAccount, OpenAccountFor } from '../../../../../src/gateway/broker/accounts.ts';
import type { TradeUpdateListener } from '../../../../../src/gateway/broker/broker.ts';
import { createOrderUpdateHub } from '../../../../../src/gateway/broker/updates/order-update-hub.ts';
import { HttpProblem } from '../../../../../src/trading/http-problem.ts';
import { manualClock } from '../../../../integration/sandbox/paper-broker-world.ts';

const FIRST = 'PA1';
const notConnected = () => new HttpProblem(409, 'account_not_connected', 'gone');

/** A broker's connections, each played by the test. */
interface Connection {
  readonly account: string | undefined;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly listener: TradeUpdateListener;
  end(error?: unknown): void;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const { signal } = new AbortController();

function world({ tells = true, opens = async () => {} } = {}) {
  const clock = manualClock(0);
  const connections: Connection[] = [];
  const failures: unknown[] = [];
  const brokerFor: OpenAccountFor = async (who, account) => {
    await opens();
    return {
      ...(tells && {
        tradeUpdates: (signal: AbortSignal, listener: TradeUpdateListener) =>
          new Promise<void>((resolve, reject) => {
            const end = (error?: unknown) => (error === undefined ? resolve() : reject(error));
            signal.addEventListener('abort', () => resolve());
            connections.push({ account, token: who.accessToken, signal, listener, end });
          }),
      }),
    } as OpenAccount;
  };
  const updates = createOrderUpdateHub({ brokerFor, clock, failed: (error) => failures.push(error) });
  closers.push(() => updates.close());
  let token = 'first';
  return {
    ...{ clock, connections, failures, updates },
    renew: () => {
      token = 'second';
    },
    listen: (ids: string[], account = FIRST, sub = 'alice') => {
      const news = updates.listen(() => ({ sub, accessToken: token }), account, new Set(ids));
      if (news === undefined) throw new Error('there is no room');
      return news;
    },
    /** What each has heard by now. */
    async heard(...all: ResultChangeStream[]) {
      const found: ReportedChange[] = [];
      for (const news of all) {
        await clock.advance(0);
        const next = news.next(0, signal);
        await clock.advance(0);
        found.push(await next);
      }
      return found;
    },
    /** The newest connection, once there are so many. */
    async connection(count: number): Promise<Connection> {
      await expect.poll(() => connections.length, { interval: 1 }).toBe(count);
      return connections.at(-1) as Connection;
    },
  };
}

describe('an account that is listened to', () => {
  it('is opened once for all of its orders, and each hears of its own', async () => {
    const { heard, listen, connection } = world();
    const [one, two] = [listen(['o-1', 'c-1']), listen(['o-2', 'c-2'])];
    const { listener } = await connection(1);
    expect(one.isLive()).toBe(false);
    listener.live();
    expect(await heard(one, two)).toEqual(['own', 'own']);
    expect([one.isLive(), two.isLive()]).toEqual([true, true]);
    listener.update({ ids: ['elsewhere', 'c-2'] });
    expect(await heard(one, two)).toEqual(['nothing', 'own']);
    expect((await connection(1)).account).toBe(FIRST);
  });

  it('has a connection of its own, by its owner’s own session', async () => {
    const { listen, connections } = world();
    listen(['o-1']);
    listen(['o-2'], 'PA2');
    listen(['o-3'], FIRST, 'bob');
    await expect.poll(() => connections.length).toBe(3);
    expect(connections.map(({ account }) => account)).toEqual([FIRST, 'PA2', FIRST]);
  });

  it('tells of what is about nobody’s order, or makes no sense, to all, but not each time', async () => {
    const { clock, heard, listen, connection } = world();
    const [one, two] = [listen(['o-1']), listen(['o-2'])];
    const { listener } = await connection(1);
    listener.live();
    await heard(one, two);
    for (let n = 0; n < 1_000; n++) listener.update({ ids: n % 2 === 0 ? [] : ['unknown'] });
    expect(await heard(one, two)).toEqual(['other', 'other']);
    listener.update({ ids: [] });
    expect(await heard(one)).toEqual(['nothing']);
    await clock.advance(15_000);
    expect(await heard(one)).toEqual(['other']);
  });

  it('is connected again after a gap, later each time, with the latest session, and all look once more', async () => {
    const { clock, heard, listen, connection, connections, renew } = world();
    const one = listen(['o-1']);
    (await connection(1)).end();
    await clock.advance(0);
    for (const [count, pause] of [
      [2, 1_250],
      [3, 2_500],
      [4, 5_000],
    ] as const) {
      await clock.advance(pause * 0.5);
      expect(connections.length).toBe(count - 1);
      renew();
      await clock.advance(pause * 0.5);
      (await connection(count)).end(count === 2 ? notConnected() : undefined);
      await clock.advance(0);
    }
    await clock.advance(60_000 * 1.25);
    const { listener, token, end } = await connection(5);
    expect(token).toBe('second');
    listener.live();
    expect([one.isLive(), await heard(one)]).toEqual([true, ['own']]);
    end();
    expect([await heard(one), one.isLive()]).toEqual([['own'], false]);
  });

  it('is left alone where its broker tells nothing', async () => {
    const { clock, heard, listen, connections, failures } = world({ tells: false });
    const one = listen(['o-1']);
    await clock.advance(10 * 60_000);
    expect([one.isLive(), await heard(one), connections.length]).toEqual([false, ['nothing'], 0]);
    expect(failures).toEqual([]);
  });

  it('is closed some time after nobody needs it', async () => {
    const { clock, listen, connection } = world();
    const one = listen(['o-1']);
    const first = await connection(1);
    one.end();
    await clock.advance(20_000);
    const two = listen(['o-2']);
    await clock.advance(20_000);
    expect(first.signal.aborted).toBe(false);
    two.end();
    await clock.advance(30_000);
    expect(first.signal.aborted).toBe(true);
    listen(['o-3']);
    await connection(2);
  });

  it('is closed within a minute once its owner could not open it any more, and not because a provider is out of reach', async () => {
    let refusal: HttpProblem | undefined;
    const { clock, listen, connection } = world({
      opens: async () => {
        if (refusal !== undefined) throw refusal;
      },
    });
    listen(['o-1']);
    const { listener, signal: connected } = await connection(1);
    listener.live();
    refusal = new HttpProblem(503, 'provider_unreachable', 'out of reach');
    await clock.advance(60_000);
    expect(connected.aborted).toBe(false);
    refusal = notConnected();
    await clock.advance(60_000);
    expect(connected.aborted).toBe(true);
  });

  it('is closed with the gateway', async () => {
    const { listen, connection, updates } = world();
    listen(['o-1']);
    const { signal: connected } = await connection(1);
    await updates.close();
    expect(connected.aborted).toBe(true);
    expect(updates.listen(() => ({ sub: 'alice', accessToken: '' }), FIRST, new Set())).toBeUndefined();
  });

  it('is one of so many at most', async () => {
    const { listen, connections } = world();
    for (let n = 0; n < 256; n++) listen([], `PA${n}`);
    expect(() => listen([], 'one more')).toThrow('there is no room');
    await expect.poll(() => connections.length).toBe(256);
  });

  it('says what nobody foresaw', async () => {
    const { listen, connection, failures } = world();
    listen(['o-1']);
    (await connection(1)).end(new TypeError('a bug'));
    await expect.poll(() => failures).toEqual([new TypeError('a bug')]);
  });
});
