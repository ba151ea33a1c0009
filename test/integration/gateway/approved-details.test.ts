import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { type OrderDraft, orderDraftSchema } from '../../../src/trading/order.ts';
import type { OrderChanges } from '../../fixtures/builders.ts';
import { answerOf, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
afterEach(() => {
  const { book, submissions } = world.broker;
  const taken = book.splice(0);
  submissions.splice(0);
  expect(taken).toEqual([]);
});

/** Orders that between them have every field of the draft. */
const kinds: Record<string, OrderChanges> = {
  limit: { limit_price: '180.00' },
  market: { type: 'market' },
  notional: { type: 'market', notional: '500.00' },
  stop: { type: 'stop', stop_price: '181.00' },
  stop_limit: { type: 'stop_limit', stop_price: '181.00', limit_price: '182.00' },
  trail_price: { type: 'trailing_stop', trail_price: '2.00' },
  trail_percent: { type: 'trailing_stop', trail_percent: '2' },
};
const draftOf = (kind: string) => orderDraftSchema.parse(world.draft(kinds[kind]));

/** What the gateway alone puts into an order: whoever sends one here is refused (mandates.test.ts). */
type Mandated = 'mandate' | 'slot';

/** Another valid value for every field of the draft. */
const others: { [Field in Exclude<keyof OrderDraft, Mandated>]-?: OrderDraft[Field] } = {
  account: 'PA3BOB0001',
  environment: 'live',
  symbol: 'MSFT',
  side: 'sell',
  qty: '6',
  notional: '501.00',
  type: 'limit',
  time_in_force: 'gtc',
  limit_price: '180.01',
  stop_price: '181.01',
  trail_price: '2.01',
  trail_percent: '2.5',
  order_class: 'bracket',
  take_profit_limit_price: '200.01',
  stop_loss_stop_price: '170.01',
  stop_loss_limit_price: '169.01',
  position_intent: 'buy_to_open',
  extended_hours: true,
  reference_price: '180.02',
  max_slippage: '0.02',
  max_fees: '1.01',
  coin_fee: '0.0025',
  client_order_id: 'ta-another-order',
  expires_at: '2040-01-01T00:00:00Z',
};
const fields = Object.keys(orderDraftSchema.unwrap().omit({ mandate: true, slot: true }).shape) as Exclude<
  keyof OrderDraft,
  Mandated
>[];

it('the cases below know every field of an order', () => {
  expect(Object.keys(others).sort()).toEqual([...fields].sort());
  const covered = new Set(Object.keys(kinds).flatMap((kind) => Object.keys({ ...kinds[kind] })));
  for (const field of ['notional', 'stop_price', 'trail_price', 'trail_percent', 'limit_price']) {
    expect(covered).toContain(field);
  }
});

/** `limit` is the other type for all kinds but itself. */
const otherValue = (draft: OrderDraft, field: (typeof fields)[number]) =>
  field === 'type' && draft.type === 'limit' ? 'market' : others[field];

const cases = Object.keys(kinds).flatMap((kind) => fields.map((field) => [kind, field] as const));

describe('an approved order changed in one field is refused', () => {
  it.each(cases)('%s order, %s', async (kind, field) => {
    const draft = draftOf(kind);
    const token = await world.approve(draft);
    const had = Object.hasOwn(draft, field);
    const changed = { ...draft, [field]: otherValue(draft, field) };
    const response = await world.place(changed, token);
    const body = (await response.clone().json()) as { code: string; fields: string[] };
    // A change that makes the order senseless in itself is told as that; all others as a difference from the approval.
    if (body.code === 'invalid_order') {
      await world.refuses(response, 400, 'invalid_order');
    } else {
      await world.refuses(response, 403, 'details_mismatch');
      expect(body.fields).toContain(field === 'type' ? 'order_type' : field);
      expect(body.fields).toContain('digest');
    }
    if (!had) return;
    const { [field]: _, ...removed } = draft;
    await world.refuses(world.place(removed, token), 400, 'invalid_order');
  });

  it('most of these are told as a difference, not as a senseless order', async () => {
    for (const field of fields.filter((name) => Object.hasOwn(draftOf('limit'), name) && name !== 'type')) {
      const draft = draftOf('limit');
      const changed = { ...draft, [field]: otherValue(draft, field) };
      const { body } = await answerOf(world.place(changed, await world.approve(draft)));
      expect(body.code, field).toBe('details_mismatch');
    }
  });

  it.each(fields)('the details in the token changed in %s alone', async (field) => {
    const draft = draftOf('limit');
    const name = field === 'type' ? 'order_type' : field;
    const details = { ...buildTradeOrderDetails(draft, { gateway: world.url }), [name]: otherValue(draft, field) };
    const token = await world.approve(draft, { claims: { authorization_details: [details] } });
    await world.refuses(world.place(draft, token), 403, 'details_mismatch', { fields: [name] });
  });

  it('an unknown field added to the request', async () => {
    const draft = draftOf('limit');
    const response = await world.place({ ...draft, order_kind: 'bracket' }, await world.approve(draft));
    await world.refuses(response, 400, 'invalid_order', { fields: ['order_kind'] });
  });

  it.each([
    ['other letters than ASCII', 'PA3\u00c4LICE'],
    ['a control', 'PA3\u0007'],
  ])('%s in the account is a senseless order, no failure', async (_, account) => {
    const draft = draftOf('limit');
    const response = await world.place({ ...draft, account }, await world.approve(draft));
    await world.refuses(response, 400, 'invalid_order', { fields: ['account'] });
  });
});

describe('the approved details themselves are', () => {
  it.each<[string, (of: ReturnType<typeof buildTradeOrderDetails>) => unknown, string, string?]>([
    ['is two alike', (of) => [of, of], 'approval_ambiguous'],
    ['has one of another type beside it', (of) => [of, { type: 'transfer' }], 'approval_ambiguous'],
    ['is not there', () => [], 'approval_missing'],
    ['is not of our type', (of) => [{ ...of, type: 'trade_orders' }], 'approval_missing'],
    ['is no list', (of) => of, 'approval_malformed'],
    ['holds no object', () => ['trade_order'], 'approval_malformed'],
    ['has a field more', (of) => [{ ...of, privileges: ['all'] }], 'approval_malformed', 'privileges'],
    ['has a field less', ({ max_slippage: _, ...of }) => [of], 'approval_malformed', 'max_slippage'],
    ['is for another gateway', (of) => [{ ...of, locations: ['http://x'] }], 'details_mismatch', 'locations'],
    ['has another digest', (of) => [{ ...of, digest: 'A'.repeat(43) }], 'details_mismatch', 'digest'],
    ['has another id', (of) => [{ ...of, identifier: 'ta-another' }], 'details_mismatch', 'identifier'],
    ['has the symbol in small letters', (of) => [{ ...of, symbol: 'aapl' }], 'details_mismatch', 'symbol'],
    ['has the quantity written otherwise', (of) => [{ ...of, qty: '5.0' }], 'details_mismatch', 'qty'],
  ])('refused where the claim %s', async (_, claim, code, field) => {
    const draft = draftOf('limit');
    const details = claim(buildTradeOrderDetails(draft, { gateway: world.url }));
    const token = await world.approve(draft, { claims: { authorization_details: details } });
    const more = field === undefined ? {} : { fields: [field] };
    await world.refuses(world.place(draft, token), 403, code, more);
  });
});

it('a request that means the same in other words is the approved order', async () => {
  const { draft, token } = await world.approved();
  const same = { ...draft, qty: '5.00', limit_price: '180', symbol: ' aapl' };
  expect((await world.place(same, token)).status).toBe(201);
  expect(world.broker.submissions).toMatchObject([{ qty: '5', limit_price: '180.00', symbol: 'AAPL' }]);
  world.broker.book.length = 0;
  world.broker.submissions.length = 0;
});

it('any change of an approved order is refused, whatever it is', async () => {
  const anything = fc.oneof(
    fc.constantFrom(...Object.values(others)),
    fc.jsonValue(),
    fc.integer({ min: 1, max: 10_000_000 }).map((n) => String(n / 100)),
    fc.constantFrom('5.000001', '-5', '0', '1e3', '05', '+5', 'NaN', 'Infinity', '５', '180.001', ''),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(kinds)),
      fc.constantFrom(...fields),
      fc.option(anything, { nil: undefined }),
      async (kind, field, value) => {
        const draft = draftOf(kind);
        const changed = { ...draft, [field]: value };
        const same = orderDraftSchema.safeParse(changed);
        // Not a change: left as it was, or written in another way that means the same.
        fc.pre(!same.success || digestOrNothing(same.data) !== digestOrNothing(draft));
        const { status, body } = await answerOf(world.place(changed, await world.approve(draft)));
        expect([
          [400, 'invalid_order'],
          [403, 'details_mismatch'],
        ]).toContainEqual([status, body.code]);
        expect(world.broker.submissions).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

function digestOrNothing(draft: OrderDraft): string | undefined {
  try {
    return buildTradeOrderDetails(draft, { gateway: world.url }).digest;
  } catch {
    return undefined;
  }
}
