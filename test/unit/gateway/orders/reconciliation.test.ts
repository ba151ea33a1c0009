import { afterEach, describe, expect, it } from 'vitest';
import { NO_TOKEN } from '../../../../src/approval/access.ts';
import type { Proposer } from '../../../../src/approval/kind.ts';
import type { OpenAccount } from '../../../../src/gateway/broker/accounts.ts';
import {
  createReconciliation,
  type ReconciliationOptions,
  type UnexplainedOrder,
} from '../../../../src/gateway/orders/reconciliation.ts';
import type { Clock } from '../../../../src/machine/clock.ts';
import type { OrderJournalEntry } from '../../../../src/store/order-journal.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Order } from '../../../../src/trading/views.ts';

const START = Date.parse('2026-11-24T15:00:00Z');
const DAY_MS = 24 * 60 * 60_000;
const TICK_MS = 30_000;

/** A wall clock and a monotonic clock that can part, and one sleeper. */
function manualClock() {
  let monotonic = 1_000;
  let wall = START;
  let sleeper: { readonly at: number; readonly wake: () => void } | undefined;
  let onSleep: (() => void) | undefined;
  const clock: Clock = {
    now: () => wall,
    monotonic: () => monotonic,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = () => reject(signal?.reason);
        signal?.addEventListener('abort', onAbort);
        const wake = () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        sleeper = { at: monotonic + ms, wake };
        onSleep?.();
      }),
  };
  const asleep = () =>
    new Promise<void>((resolve) => {
      if (sleeper !== undefined) resolve();
      onSleep = resolve;
    });
  return {
    clock,
    /** Resolves when it sleeps. */
    asleep,
    /** Lets time pass while the machine is awake: whoever sleeps wakes in time. */
    async pass(ms: number) {
      const until = monotonic + ms;
      for (;;) {
        await asleep();
        const next = sleeper;
        if (next === undefined || next.at > until) break;
        wall += next.at - monotonic;
        monotonic = next.at;
        sleeper = undefined;
        next.wake();
      }
      wall += until - monotonic;
      monotonic = until;
    },
    /** The machine sleeps, or somebody sets its clock. */
    jump(ms: number) {
      wall += ms;
    },
  };
}

const idOf = (letter: string) => `ta-${letter.repeat(24)}`;
const orderOf = (clientOrderId: string): Order =>
  ({ id: `order ${clientOrderId}`, client_order_id: clientOrderId, status: 'new' }) as Order;
const entryOf = (clientOrderId: string, changes: Partial<OrderJournalEntry> = {}): OrderJournalEntry =>
  ({ sub: 'alice', clientOrderId, state: 'placed', draft: { account: 'PA-1' }, ...changes }) as OrderJournalEntry;
const writtenOff = (clientOrderId: string, changes: Partial<OrderJournalEntry> = {}): OrderJournalEntry =>
  entryOf(clientOrderId, { state: 'rejected', writtenOffAt: START - 1_000, ...changes });
const unreachable = () => new HttpProblem(502, 'broker_unavailable', 'the broker cannot be reached');
/** Fails at the first call. */
const failing = (error: Error) => {
  let calls = 0;
  return async () => {
    if (calls++ === 0) throw error;
  };
};
const alice: Proposer = { sub: 'alice', clientId: 'trade-agent', accessToken: 'SESSION-TOKEN' };

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

/** Reconciliation with everything around it made up, as alice's account has it. */
function world(options: Partial<ReconciliationOptions> = {}) {
  const time = manualClock();
  const made = {
    ...time,
    accounts: [{ sub: 'alice', account: 'PA-1' }],
    entries: new Map<string, OrderJournalEntry>(),
    /** The broker's book: what is open, and what is found by an id. */
    open: [] as Order[],
    book: new Map<string, Order>(),
    /** What each proposal says of an order of its own. */
    accounted: new Map<string, 'accounted' | 'unexplained'>(),
    askers: new Map<string, Proposer>(),
    brokerFor: async (): Promise<unknown> => undefined,
    /** In order. */
    asked: [] as string[],
    tokens: [] as string[],
    reported: [] as UnexplainedOrder[],
    errors: [] as string[],
    pursued: 0,
    onBegin: async (): Promise<void> => undefined,
    those: (are: (entry: OrderJournalEntry) => boolean) => [...made.entries.values()].filter(are),
    keep: (...entries: OrderJournalEntry[]) => {
      for (const entry of entries) made.entries.set(entry.clientOrderId, entry);
    },
    start: () => {
      const reconciliation = createReconciliation({
        journal: {
          find: async (sub, id) => {
            const entry = made.entries.get(id);
            return entry?.sub === sub ? entry : undefined;
          },
          writtenOff: async (since) => made.those(({ writtenOffAt }) => (writtenOffAt ?? 0) >= since),
          unsent: async () => made.those((one) => one.state === 'intent' && one.submittedAt === null),
          accountsSince: async () => {
            await made.onBegin();
            return made.accounts;
          },
        },
        orderService: {
          abandon: async ({ clientOrderId }) => void made.asked.push(`abandon ${clientOrderId}`),
          recheck: async ({ accessToken }, id) => {
            made.asked.push(`recheck ${id}`);
            made.tokens.push(accessToken);
            const order = made.book.get(id);
            const entry = made.entries.get(id);
            if (order !== undefined && entry !== undefined) made.keep({ ...entry, state: 'placed', order });
            return made.entries.get(id);
          },
        },
        kernel: {
          resumeUnknown: async () => void made.pursued++,
          reconcileOrder: async (sub, id) => {
            made.asked.push(`found ${id} of ${sub}`);
            return made.accounted.get(id) ?? 'accounted';
          },
          latestSession: (sub) => made.askers.get(sub),
        },
        brokerFor: async ({ sub, accessToken }, account) => {
          await made.brokerFor();
          made.asked.push(`open ${account} of ${sub}`);
          made.tokens.push(accessToken);
          return { orders: async () => made.open } as unknown as OpenAccount;
        },
        isUnattended: true,
        clock: time.clock,
        report: (found) => made.reported.push(found),
        onError: (message) => made.errors.push(message),
        ...options,
      });
      running.push(reconciliation);
      reconciliation.start();
      return reconciliation;
    },
    /** Starts, and resolves once it sleeps. */
    begin: async () => {
      const reconciliation = made.start();
      await made.asleep();
      return reconciliation;
    },
    /** What was asked since this was last called. */
    took: () => made.asked.splice(0),
  };
  return made;
}

describe('reconciliation takes place', () => {
  it('at the start, and then every 24 hours', async () => {
    const made = world();
    await made.begin();
    expect(made.took()).toEqual(['open PA-1 of alice']);
    await made.pass(DAY_MS - TICK_MS);
    expect(made.took()).toEqual([]);
    await made.pass(TICK_MS);
    expect(made.took()).toEqual(['open PA-1 of alice']);
    expect(made.pursued).toBe(2);
  });

  it.each([
    ['slept for an hour', 3_600_000],
    ['slept for little more than two seconds', 2_001],
    ['had its clock set back', -2_001],
  ])('within 30 s after the machine %s', async (_, ms) => {
    const made = world();
    made.start();
    await made.pass(10 * 60_000);
    made.took();
    made.jump(ms);
    await made.pass(TICK_MS);
    expect(made.took()).toEqual(['open PA-1 of alice']);
    expect(made.pursued).toBe(2);
    await made.pass(60 * 60_000);
    expect(made.took()).toEqual([]);
  });

  it('not after a small correction of the clock', async () => {
    const made = world();
    made.start();
    await made.pass(TICK_MS);
    made.took();
    made.jump(1_900);
    await made.pass(10 * 60_000);
    expect(made.took()).toEqual([]);
  });

  it.each([
    ['at the start', false],
    ['after the machine slept', true],
  ])('at the next look where the store failed %s', async (_, sleeps) => {
    const made = world();
    if (sleeps) {
      await made.begin();
      made.took();
      made.jump(3_600_000);
    }
    made.onBegin = failing(new Error('the store is away'));
    if (sleeps) await made.pass(TICK_MS);
    else await made.begin();
    await made.asleep();
    expect([made.took(), made.errors]).toEqual([[], ['Error: the store is away']]);
    await made.pass(TICK_MS);
    expect(made.took()).toEqual(['open PA-1 of alice']);
  });

  it('no more once it is closed, and closes at once while it waits', async () => {
    const made = world();
    const reconciliation = await made.begin();
    made.took();
    await reconciliation.close();
    made.jump(3_600_000);
    expect(made.took()).toEqual([]);
    expect(made.errors).toEqual([]);
  });

  it('at no further account once it is closed', async () => {
    const made = world();
    made.accounts.push({ sub: 'bob', account: 'PB-1' });
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    made.brokerFor = async () => {
      asked.resolve();
      await answer.promise;
    };
    const reconciliation = made.start();
    await asked.promise;
    const closed = reconciliation.close();
    answer.resolve();
    await closed;
    expect(made.took()).toEqual(['open PA-1 of alice']);
    expect(made.errors).toEqual([]);
  });
});

describe('an account', () => {
  it('whose broker is out of reach is asked again after 30 s, a minute and so on, until it answers', async () => {
    const made = world();
    let tries = 0;
    made.brokerFor = async () => {
      tries += 1;
      if (tries <= 3) throw unreachable();
    };
    made.start();
    const seen: number[] = [];
    for (const ticks of [0, 1, 1, 1, 3, 1, 100]) {
      await made.pass(ticks * TICK_MS);
      seen.push(tries);
    }
    expect(seen).toEqual([1, 2, 2, 3, 3, 4, 4]);
    expect(made.took()).toEqual(['open PA-1 of alice']);
    expect(made.errors).toEqual([]);
  });

  it.each<[string, Error]>([
    ['whose broker is out of reach', unreachable()],
    ['with which something is wrong that nobody foresaw', new TypeError('not a list')],
  ])('%s keeps no other from being looked at', async (_, failure) => {
    const made = world();
    made.accounts.push({ sub: 'bob', account: 'PB-1' });
    made.brokerFor = failing(failure);
    await made.begin();
    expect(made.took()).toEqual(['open PB-1 of bob']);
    await made.pass(TICK_MS);
    expect(made.took()).toEqual(['open PA-1 of alice']);
  });

  it('that can be opened without its owner is opened without a token', async () => {
    const made = world();
    await made.begin();
    expect(made.tokens).toEqual([NO_TOKEN]);
  });

  it('that cannot be opened without its owner waits until they come by', async () => {
    const made = world({ isUnattended: false });
    made.accounts.push({ sub: 'bob', account: 'PB-1' });
    made.askers.set('bob', { ...alice, sub: 'bob', accessToken: 'BOBS-TOKEN' });
    made.start();
    await made.pass(60 * 60_000);
    expect(made.took()).toEqual(['open PB-1 of bob']);
    made.askers.set('alice', alice);
    await made.pass(TICK_MS);
    expect(made.took()).toEqual(['open PA-1 of alice']);
    expect(made.tokens).toEqual(['BOBS-TOKEN', 'SESSION-TOKEN']);
    await made.pass(60 * 60_000);
    expect(made.took()).toEqual([]);
  });
});

describe('an order of which nothing was sent', () => {
  it('is given up once its approval has expired', async () => {
    const made = world();
    const unsent = (letter: string, ms: number) =>
      entryOf(idOf(letter), {
        ...{ state: 'intent', submittedAt: null },
        draft: { account: 'PA-1', expires_at: new Date(START + ms).toISOString() } as OrderDraft,
      });
    made.keep(unsent('a', -1_000), unsent('b', 60_000));
    await made.begin();
    expect(made.took()).toEqual([`abandon ${idOf('a')}`, 'open PA-1 of alice']);
  });
});

describe('an order that was written off', () => {
  it('is looked up again, and its proposal corrected where the broker has it', async () => {
    const made = world();
    made.keep(writtenOff(idOf('a')), writtenOff(`${idOf('b')}-2`));
    made.book.set(`${idOf('b')}-2`, orderOf(`${idOf('b')}-2`));
    await made.begin();
    expect(made.took()).toEqual([
      `recheck ${idOf('a')}`,
      `recheck ${idOf('b')}-2`,
      // A line of a batch: the proposal has the id without the line's number.
      `found ${idOf('b')} of alice`,
      'open PA-1 of alice',
    ]);
    expect(made.reported).toEqual([]);
  });

  it('is looked up whoever has had orders since', async () => {
    const made = world();
    const other = { account: 'PA-2' } as OrderDraft;
    made.keep(writtenOff(idOf('a'), { draft: other }), writtenOff(idOf('b'), { sub: 'bob' }));
    await made.begin();
    expect(made.took()).toEqual([`recheck ${idOf('a')}`, `recheck ${idOf('b')}`, 'open PA-1 of alice']);
  });

  it('is looked up for 30 days, also after it was found', async () => {
    const made = world();
    made.keep(writtenOff(idOf('a')));
    made.book.set(idOf('a'), orderOf(idOf('a')));
    await made.begin();
    const afterDays = async (days: number) => {
      made.took();
      made.jump(days * DAY_MS);
      await made.pass(TICK_MS);
      await made.asleep();
      return made.took();
    };
    expect(await afterDays(29)).toContain(`recheck ${idOf('a')}`);
    expect(await afterDays(1)).toEqual(['open PA-1 of alice']);
  });

  it.each([
    ['open', true],
    ['over by then', false],
  ])('is reported once where it is found, %s, and no proposal accounts for it', async (_, isOpen) => {
    const made = world();
    made.keep(writtenOff(idOf('a')));
    const order = orderOf(idOf('a'));
    made.book.set(idOf('a'), order);
    if (isOpen) made.open.push(order);
    made.accounted.set(idOf('a'), 'unexplained');
    made.start();
    await made.pass(3 * DAY_MS);
    expect(made.reported).toEqual([{ sub: 'alice', account: 'PA-1', order }]);
  });
});

describe('an open order at the broker', () => {
  it('with an id of this gateway’s that it knows nothing of is reported, once', async () => {
    const made = world();
    const order = orderOf(idOf('a'));
    made.open.push(order);
    made.start();
    await made.pass(3 * DAY_MS);
    expect(made.reported).toEqual([{ sub: 'alice', account: 'PA-1', order }]);
  });

  it.each<[string, Partial<OrderJournalEntry>, 'accounted' | 'unexplained']>([
    ['its journal entry is another person’s', { sub: 'bob' }, 'accounted'],
    ['it is not the order that was approved under its id', { state: 'rejected' }, 'accounted'],
    ['its proposal says that it was not carried out', {}, 'unexplained'],
  ])('is reported where %s', async (_, entry, accounted) => {
    const made = world();
    made.keep(entryOf(idOf('a'), entry));
    made.open.push(orderOf(idOf('a')));
    made.accounted.set(idOf('a'), accounted);
    await made.begin();
    expect(made.reported).toHaveLength(1);
  });

  it.each([idOf('a'), `${idOf('a')}-3`])('of %s belongs to the proposal of its id', async (id) => {
    const made = world();
    made.keep(entryOf(id));
    made.open.push(orderOf(id));
    await made.begin();
    expect(made.took()).toEqual(['open PA-1 of alice', `found ${idOf('a')} of alice`]);
    expect(made.reported).toEqual([]);
  });

  it('is adopted where its journal entry says that it was not placed', async () => {
    const made = world();
    made.keep(entryOf(idOf('a'), { state: 'rejected' }));
    made.open.push(orderOf(idOf('a')));
    made.book.set(idOf('a'), orderOf(idOf('a')));
    await made.begin();
    expect(made.took()).toEqual(['open PA-1 of alice', `recheck ${idOf('a')}`, `found ${idOf('a')} of alice`]);
    expect(made.entries.get(idOf('a'))?.state).toBe('placed');
    expect(made.reported).toEqual([]);
  });

  it.each([
    '',
    'd7a3a4cc-5d5c-4b0e-9d5c-d2f1f3f0c0de',
    'ta-00000001',
    `ta-${'a'.repeat(25)}`,
    `xta-${'a'.repeat(24)}`,
    `ta-${'a'.repeat(24)}-x`,
    `ta-${'a'.repeat(24)}-1-2`,
  ])('with another id (%j) is nobody’s business here', async (id) => {
    const made = world();
    made.open.push(orderOf(id));
    await made.begin();
    expect(made.took()).toEqual(['open PA-1 of alice']);
    expect(made.reported).toEqual([]);
  });
});
