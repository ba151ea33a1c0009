import { beforeAll, describe, expect, it } from 'vitest';
import { type CedarEngine, loadCedar } from '../../../../../src/gateway/policy/cedar/cedar-engine.ts';
import { parseRules } from '../../../../../src/gateway/policy/cedar/rule-text.ts';
import { compareRules } from '../../../../../src/gateway/policy/files/compare.ts';
import { type AccountLimits, type Limits, limitsSchema } from '../../../../../src/gateway/policy/rules.ts';

let engine: CedarEngine;
beforeAll(async () => {
  engine = await loadCedar();
});

type Accounts = Readonly<Record<string, AccountLimits>>;
const limits = (accounts: Accounts): Limits => limitsSchema.parse({ version: 1, accounts });
const of = (accounts: Accounts) => ({ limits: limits(accounts), cedarRules: [] });

function change(before: AccountLimits, after: AccountLimits) {
  return compareRules(of({ '*': before }), of({ '*': after }));
}

const tighter = (...changes: string[]) => ({ tighter: true, changes });
const looser = (...changes: string[]) => ({ tighter: false, changes });

const hours = { zone: 'America/New_York', from: '09:30', to: '16:00', days: ['mon', 'tue'] } as const;
const window = (changes: Partial<Record<keyof typeof hours, unknown>>) =>
  ({ hours: { ...hours, ...changes } }) as AccountLimits;

const classes = (...asset_classes: NonNullable<AccountLimits['asset_classes']>) => ({ asset_classes });

/** Each is tighter as written, and looser the other way round; the words of what changes. */
type Tightened = readonly [before: AccountLimits, after: AccountLimits, name: string, was: string, is: string];
const tightened: readonly Tightened[] = [
  [{ max_order_notional: '2500' }, { max_order_notional: '1000' }, 'max_order_notional', '2500', '1000'],
  [{ max_order_notional: '9.99' }, { max_order_notional: '9.989' }, 'max_order_notional', '9.99', '9.989'],
  [{ max_order_notional: '10' }, { max_order_notional: '9' }, 'max_order_notional', '10', '9'],
  [{}, { max_day_orders: 3 }, 'max_day_orders', 'not limited', '3'],
  ...(
    [
      ['max_order_qty', '2', '1'],
      ['max_day_notional', '2', '1'],
      ['max_orders_per_minute', 2, 1],
      ['max_open_orders', 2, 1],
      ['max_day_loss', '2', '1'],
      ['max_position_weight', '0.5', '0.25'],
      ['max_price_deviation', '0.5', '0.25'],
      ['min_seconds_between_same', 60, 90],
    ] as const
  ).map(([name, was, is]): Tightened => [{ [name]: was }, { [name]: is }, name, `${was}`, `${is}`]),
  [classes('us_equity', 'crypto'), classes('us_equity'), 'asset_classes', 'crypto us_equity', 'us_equity'],
  [{}, { deny_opposing: true }, 'deny_opposing', 'not limited', 'true'],
  [{}, { own_words: true }, 'own_words', 'not limited', 'true'],
  [{ max_day_messages: 2 }, { max_day_messages: 1 }, 'max_day_messages', '2', '1'],
  // Without the limit, there are five messages a day.
  [{}, { max_day_messages: 4 }, 'max_day_messages', '5', '4'],
  [{ max_day_messages: 6 }, {}, 'max_day_messages', '6', '5'],
  [{ number_matching_above: '500' }, { number_matching_above: '100' }, 'number_matching_above', '500', '100'],
  [{ symbols: { allow: ['A', 'B'] } }, { symbols: { allow: ['B'] } }, 'symbols.allow', 'A B', 'B'],
  [{ symbols: { allow: ['A'] } }, { symbols: { allow: [] } }, 'symbols.allow', 'A', 'none'],
  [{ symbols: { deny: ['A'] } }, { symbols: { deny: ['A', 'B'] } }, 'symbols.deny', 'A', 'A B'],
  [{ symbols: { deny: ['A'] } }, { symbols: { deny: ['A'], allow: ['C'] } }, 'symbols.allow', 'not limited', 'C'],
  [{ sides: ['buy', 'sell'] }, { sides: ['sell'] }, 'sides', 'buy sell', 'sell'],
  [{ types: ['limit', 'market'] }, { types: ['limit'] }, 'types', 'limit market', 'limit'],
  [
    window({}),
    window({ from: '10:00' }),
    'hours',
    '09:30 to 16:00 on mon tue, America/New_York',
    '10:00 to 16:00 on mon tue, America/New_York',
  ],
  [
    window({}),
    window({ days: ['tue'], to: '15:59' }),
    'hours',
    '09:30 to 16:00 on mon tue, America/New_York',
    '09:30 to 15:59 on tue, America/New_York',
  ],
  [{ live: { mandate_up_to: '2' } }, { live: { mandate_up_to: '1' } }, 'live.mandate_up_to', '2', '1'],
  [
    { live: { mandate_up_to: '2' } },
    { live: { mandate_up_to: '2', second_person_above: '5' } },
    'live.second_person_above',
    'not limited',
    '5',
  ],
];

describe('a change of limits', () => {
  it.each(tightened)('%j → %j is tighter, and looser back', (before, after, name, was, is) => {
    expect(change(before, after)).toEqual(tighter(`${name} ${was} → ${is}`));
    expect(change(after, before)).toEqual(looser(`${name} ${is} → ${was}`));
  });

  it('that adds a recipient of messages is looser, by a line for each, and tighter back', () => {
    const [bob, room] = ['gmail:bob@example.com', 'slack:#trading'];
    const some = { message_recipients: [bob, room] };
    expect(change({}, some)).toEqual(looser(`message_recipients added: ${bob}`, `message_recipients added: ${room}`));
    for (const fewer of [{}, { message_recipients: [] }]) {
      expect(change(some, fewer)).toEqual(
        tighter(`message_recipients removed: ${bob}`, `message_recipients removed: ${room}`),
      );
    }
    expect(change(some, { message_recipients: [room, bob] })).toEqual(tighter());
    expect(change({}, { message_recipients: [] })).toEqual(tighter());
    expect(change({ message_recipients: [bob] }, { message_recipients: [room] }).tighter).toBe(false);
  });

  it.each<[string, AccountLimits, AccountLimits]>([
    ['some of what is allowed against other', { symbols: { allow: ['A'] } }, { symbols: { allow: ['B'] } }],
    ['some of what is denied against other', { symbols: { deny: ['A'] } }, { symbols: { deny: ['B'] } }],
    ['another zone', window({}), window({ zone: 'Europe/London' })],
    ['an earlier window of the same length', window({}), window({ from: '09:00', to: '15:30' })],
    ['another way to sign in', { live: { acr: 'a' } }, { live: { acr: 'b' } }],
    [
      'one limit tighter and another one looser',
      { max_day_orders: 2, max_open_orders: 2 },
      { max_day_orders: 1, max_open_orders: 3 },
    ],
  ])('is not tighter, in either direction: %s', (_, before, after) => {
    expect(change(before, after).tighter).toBe(false);
    expect(change(after, before).tighter).toBe(false);
  });

  it('is none where the same is written otherwise', () => {
    expect(change({ max_order_notional: '5' }, { max_order_notional: '5.00' })).toEqual(tighter());
    expect(change({ sides: ['buy', 'sell'] }, { sides: ['sell', 'buy'] })).toEqual(tighter());
  });

  it('is seen by account: limits of its own take the place of those for all others', () => {
    const before = of({ '*': { max_day_orders: 5 } });
    expect(compareRules(before, of({ '*': { max_day_orders: 5 }, PA1: {} }))).toEqual(
      looser('PA1: max_day_orders 5 → not limited'),
    );
    expect(compareRules(before, of({ '*': { max_day_orders: 5 }, PA1: { max_day_orders: 4 } }))).toEqual(
      tighter('PA1: max_day_orders 5 → 4'),
    );
    expect(compareRules(of({ PA1: { max_day_orders: 4 } }), of({}))).toEqual(
      looser('PA1: max_day_orders 4 → not limited'),
    );
    // What stood in the file for one account alone now holds for it by "*".
    expect(compareRules(of({ PA1: { max_day_orders: 4 } }), of({ '*': { max_day_orders: 4 } }))).toEqual(
      tighter('max_day_orders not limited → 4'),
    );
  });

  it('from no file at all is tighter, and to none looser', () => {
    const none = { limits: undefined, cedarRules: [] };
    expect(compareRules(none, of({ '*': { max_day_orders: 4 } })).tighter).toBe(true);
    expect(compareRules(of({ '*': { max_day_orders: 4 } }), none).tighter).toBe(false);
  });
});

describe('a change of rules', () => {
  const rules = (text: string, file = 'policies/own.cedar') => ({
    limits: undefined,
    cedarRules: parseRules(engine, [{ origin: 'policies', file, text }]),
  });
  const a = '@id("a") forbid (principal, action, resource) when { context.approval == "mandate" };';
  const b = '@id("b") forbid (principal, action in Action::"trade", resource) when { context.order.symbol == "GME" };';

  it('is tighter where one comes, and looser where one goes', () => {
    expect(compareRules(rules(a), rules(a + b))).toEqual(tighter('rule policies/b added'));
    expect(compareRules(rules(a + b), rules(a))).toEqual(looser('rule policies/b removed'));
  });

  it.each([
    ['its condition', b.replace('GME', 'AMC')],
    ['its reason', b.replace('@id("b")', '@id("b") @code("LIVE_NEEDS_TAP")')],
    ['what it is about', b.replace('in Action::"trade"', '== Action::"place"')],
  ])('is looser where one changes %s', (_, changed) => {
    expect(compareRules(rules(a + b), rules(a + changed))).toEqual(looser('rule policies/b changed'));
  });

  it('is none where the same is written otherwise, named otherwise, or in another file', () => {
    const otherwise =
      '// Other words.\n@id("c") @message("no")\nforbid(principal, action, resource)\nwhen {context.approval=="mandate"};';
    expect(compareRules(rules(a), rules(otherwise, 'policies/other.cedar'))).toEqual(tighter());
  });
});
