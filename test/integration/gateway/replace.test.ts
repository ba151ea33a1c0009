import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../src/gateway/auth/caller.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { OrderChanges } from '../../fixtures/builders.ts';
import {
  insufficient,
  lostEntirely,
  refusedWith,
  type StandInOrder,
  type SubmissionControl,
  takenAsAnother,
  takenBut,
  takenButLost,
  tooMany,
} from './support/alpaca-stand-in.ts';
import { type DeskWorld, startDesk } from './support/desk.ts';

let world: DeskWorld;
let earlier: StandInOrder;
let draft: OrderDraft;
let caller: Caller;
beforeEach(async () => {
  world = await startDesk();
  earlier = world.resting();
  draft = world.draft();
  caller = world.caller();
});

/** One answer of the desk, in brief. */
const replace = async (changes: OrderChanges = {}, as: Partial<Caller> = {}) => {
  const approved = { draft: { ...draft, ...changes } as OrderDraft, digest: 'digest', replaces: earlier.id };
  try {
    const { order, replay } = await world.desk.placeApproved(approved, { ...caller, ...as });
    return { id: order.id, replay };
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    return { code: error.code, status: error.status, fields: error.options.fields };
  }
};
const replacements = () => world.alpaca.book.filter(({ id }) => id !== earlier.id);
const entry = () => world.journal.find('alice', draft.client_order_id);
const settle = () => world.desk.settle(caller, draft.client_order_id);

describe('an approved replacement', () => {
  it('puts the new order in place of the earlier one, by one request under an id of its own', async () => {
    const replaced = await replace();
    expect(replaced).toEqual({ id: replacements()[0]?.id, replay: false });
    expect(world.alpaca.replacements).toEqual([{ client_order_id: draft.client_order_id, limit_price: '171.00' }]);
    expect([earlier.status, world.alpaca.submissions]).toEqual(['replaced', []]);
    expect(await entry()).toMatchObject({ state: 'placed', replaces: earlier.id, draft });
  });

  const stopLimit = { type: 'stop_limit', side: 'sell' } as const;
  const trailing = { type: 'trailing_stop', side: 'sell', limit_price: undefined } as const;
  it.each<[OrderChanges, OrderChanges, OrderChanges, { trail: string }?]>([
    [{}, {}, { qty: '7', limit_price: '170' }],
    [{}, {}, { time_in_force: 'day', limit_price: '170' }],
    [stopLimit, { stop_price: '160', limit_price: '158' }, { stop_price: '165', limit_price: '163' }],
    [trailing, { trail_percent: '5' }, { trail_percent: '4' }, { trail: '4' }],
    [trailing, { trail_price: '5' }, { trail_price: '4' }, { trail: '4' }],
  ])('of %j, %j, changes %j alone', async (order, before, after, sent = after as never) => {
    Object.assign(earlier.request, order, before);
    draft = world.draft({ ...order, ...after });
    expect(await replace()).toMatchObject({ replay: false });
    expect(world.alpaca.replacements).toEqual([{ client_order_id: draft.client_order_id, ...sent }]);
  });

  it('repeated is told the first result, and nothing is sent', async () => {
    const first = await replace();
    expect(await replace()).toEqual({ id: first.id, replay: true });
    world.restart();
    expect(await replace()).toEqual({ id: first.id, replay: true });
    expect(world.alpaca.replacements).toHaveLength(1);
  });

  it('asked for five times at once is made once', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => replace()));
    expect(new Set(ids.map(({ id }) => id))).toEqual(new Set([replacements()[0]?.id]));
    expect(world.alpaca.replacements).toHaveLength(1);
  });

  it('can’t be used for another order’s replacement', async () => {
    await replace();
    earlier = world.resting();
    const another = await replace({ client_order_id: 'ta-another-one' });
    expect(another).toMatchObject({ code: 'approval_already_used' });
    expect(earlier.status).toBe('accepted');
  });

  it('is not taken for one of another order, or for a new order, of the same id', async () => {
    await replace();
    earlier = world.resting();
    expect(await replace()).toMatchObject({ code: 'client_order_id_conflict' });
    const fresh = world.desk.placeApproved({ draft, digest: 'digest' }, caller);
    await expect(fresh).rejects.toMatchObject({ code: 'client_order_id_conflict' });
    expect(world.alpaca.submissions).toEqual([]);
  });

  it('is held to the price like any order', async () => {
    world.alpaca.price = { bid: 190, ask: 190, last: 190 };
    draft = world.draft({ limit_price: '190.00' });
    expect(await replace()).toMatchObject({ code: 'price_moved' });
    expect(world.alpaca.replacements).toEqual([]);
  });

  it('is not carried out after it has expired', async () => {
    world.clock.advance(241_000);
    expect(await replace()).toMatchObject({ code: 'approval_expired' });
    expect(world.alpaca.replacements).toEqual([]);
  });
});

describe('nothing is changed, as not_replaceable,', () => {
  /** `sent`: how often the broker was asked. */
  const refused = async (sent = 0) => {
    expect(await replace()).toMatchObject({ code: 'not_replaceable', status: 409 });
    expect([replacements(), world.alpaca.replacements.length]).toEqual([[], sent]);
  };

  it.each(['filled', 'canceled', 'expired', 'replaced', 'pending_cancel', 'pending_replace'])(
    'where the order is %s',
    async (status) => {
      earlier.status = status;
      await refused();
    },
  );

  it('where the order is filled between the look at it and the request', async () => {
    const message = 'order is already in "filled" state';
    world.alpaca.onReplace.push(refusedWith(422, { code: 42210000, message }));
    await refused(1);
    // For good, and said again.
    world.restart();
    await refused(1);
    expect((await entry())?.state).toBe('rejected');
  });

  it('where there is no such order', async () => {
    earlier = { ...earlier, id: '61e69015-8549-4bfd-b9c3-01e75843f47d' };
    expect(await replace()).toMatchObject({ code: 'not_replaceable' });
  });

  it('where the order is another user’s', async () => {
    const bobs = await replace({ account: 'PA3BOB0001' }, { sub: 'bob' });
    expect(bobs).toMatchObject({ code: 'not_replaceable' });
    expect(earlier.status).toBe('accepted');
  });

  it('where the order was filled in part', async () => {
    earlier.status = 'partially_filled';
    earlier.request.filled_qty = '2';
    await refused();
  });

  it('where the order is by amount', async () => {
    Object.assign(earlier.request, { qty: undefined, notional: '500' });
    await refused();
  });

  it('where the order is in fractions and its quantity would change', async () => {
    earlier.request.qty = '2.5';
    await refused();
  });

  it('where the order already has these values', async () => {
    earlier.request.limit_price = '171';
    await refused();
  });

  it.each<[string, Record<string, unknown>]>([
    ['side', { side: 'sell' }],
    ['symbol', { symbol: 'MSFT' }],
    ['type', { type: 'stop_limit', stop_price: '160' }],
    ['extended_hours', { extended_hours: true }],
  ])('where the order at the broker differs in %s', async (field, changes) => {
    Object.assign(earlier.request, changes);
    expect(await replace()).toMatchObject({ code: 'not_replaceable', fields: [field] });
  });
});

it('a broker that has not enough for it says so', async () => {
  world.alpaca.onReplace.push(insufficient);
  expect(await replace({ qty: '5000' })).toMatchObject({ code: 'insufficient_funds' });
});

describe('a replacement whose answer is lost', () => {
  it.each<[string, (control: SubmissionControl) => void]>([
    ['by a dropped connection', takenButLost],
    ['by a time-out', ({ accept }) => void accept()],
    ['behind a 500', takenBut(500, { message: 'internal server error' })],
    ['in an answer about another order', takenAsAnother],
  ])('%s is found by its client_order_id: one replacement', async (_, misbehave) => {
    world.alpaca.onReplace.push(misbehave);
    expect(await replace()).toEqual({ id: replacements()[0]?.id, replay: false });
    expect(world.alpaca.replacements).toHaveLength(1);
  });

  it('stays unknown while nothing is found, and is settled by asking', async () => {
    world.alpaca.hiddenLookups = 6;
    world.alpaca.onReplace.push(takenButLost);
    expect(await replace()).toMatchObject({ code: 'outcome_unknown' });
    await expect(settle()).rejects.toMatchObject({ code: 'outcome_unknown' });
    world.restart();
    const order = { id: replacements()[0]?.id };
    expect(await settle()).toMatchObject({ state: 'placed', order });
    expect(world.alpaca.replacements).toHaveLength(1);
  });

  it('is sent again, under the same id, once nothing of ours can be on its way', async () => {
    world.alpaca.onReplace.push(lostEntirely);
    expect(await replace()).toMatchObject({ code: 'outcome_unknown' });
    expect(await replace()).toMatchObject({ code: 'outcome_unknown' });
    expect(world.alpaca.replacements).toHaveLength(1);
    world.clock.advance(31_000);
    expect(await replace()).toMatchObject({ id: replacements()[0]?.id, replay: true });
    expect(world.alpaca.replacements).toHaveLength(2);
    expect(replacements()).toHaveLength(1);
  });

  it('is not called refused where the earlier order is closed by the very replacement', async () => {
    world.alpaca.hiddenLookups = 6;
    world.alpaca.onReplace.push(takenButLost);
    expect(await replace()).toMatchObject({ code: 'outcome_unknown' });
    world.clock.advance(31_000);
    // The look-up misses once more, and the earlier order is "replaced" by now.
    expect(await replace()).toMatchObject({ code: 'outcome_unknown' });
    expect(await replace()).toMatchObject({ id: replacements()[0]?.id, replay: true });
    expect(world.alpaca.replacements).toHaveLength(1);
  });

  it.each([
    ['for less, where the earlier order filled in part at the last moment,', '3', { replay: false }],
    ['for more under its id', '50', { code: 'client_order_id_conflict' }],
  ])('and then found %s of quantity %s comes to %j', async (_, qty, outcome) => {
    world.alpaca.onReplace.push(({ accept, drop }) => {
      accept().request.qty = qty;
      drop();
    });
    expect(await replace()).toMatchObject(outcome);
  });

  it('is written off only after five minutes of misses that follow the end of the approval', async () => {
    world.alpaca.onReplace.push(lostEntirely);
    await replace();
    world.clock.advance(300_000);
    // Five minutes of misses, none further from the last than a minute.
    for (let minutes = 0; minutes < 5; minutes++) {
      await expect(settle()).rejects.toMatchObject({ code: 'outcome_unknown' });
      world.clock.advance(60_000);
    }
    expect(await settle()).toMatchObject({ state: 'rejected', problem: { code: 'not_placed' } });
    expect(earlier.status).toBe('accepted');
  });
});

it('a broker that asks for fewer requests has replaced nothing, and the approval stands', async () => {
  world.alpaca.onReplace.push(tooMany);
  expect(await replace()).toMatchObject({ code: 'broker_busy' });
  expect(await replace()).toMatchObject({ id: replacements()[0]?.id });
});
