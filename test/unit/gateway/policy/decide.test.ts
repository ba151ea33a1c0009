import { describe, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { BrokerTraits } from '../../../../src/gateway/broker/broker-traits.ts';
import { evaluatePolicy, toDecisionProblem } from '../../../../src/gateway/policy/decide.ts';
import type { Decision, DecisionSubject, PolicyAction } from '../../../../src/gateway/policy/decision.ts';
import { toUncountedFacts } from '../../../../src/gateway/policy/order-world.ts';
import type { CedarResult, Rules } from '../../../../src/gateway/policy/rules.ts';
import { anAccount, aQuote } from '../../../fixtures/builders.ts';
import {
  type Changes,
  type Circumstances,
  changed,
  factsOf,
  limitedTo,
  NOON,
  nothingCounted,
  subject,
  world,
} from './sound-order.ts';

const rulesOf = (more: Partial<Rules> = {}, cedar: CedarResult = { forbidden: [] }): Rules =>
  limitedTo(undefined, { cedar: { evaluate: () => cedar }, ...more });
const decided = (circumstances: Circumstances = {}, rules = rulesOf(), action: PolicyAction = 'place'): Decision =>
  evaluatePolicy(rules, subject, action, factsOf(circumstances));
const problemOf = (circumstances: Circumstances) => toDecisionProblem(decided(circumstances)).toProblem();

describe('a decision', () => {
  it('lets a sound order go out once somebody approved it, and asks before', () => {
    expect(decided()).toEqual({ effect: 'allow', reasons: [], texts: [], policy: 'of the rules' });
    const by = (who: Partial<DecisionSubject>) => evaluatePolicy(rulesOf(), { ...subject, ...who }, 'place', factsOf());
    const unasked = by({ approval: 'none', approvers: [] });
    expect(unasked).toMatchObject({ effect: 'ask', reasons: ['APPROVAL_MISSING'] });
    expect(by({ approval: 'mandate' })).toMatchObject({ effect: 'allow' });
  });

  it('refuses an order that was approved under other rules, after all other reasons', () => {
    const by = (policy: string, rules = rulesOf()) => evaluatePolicy(rules, { ...subject, policy }, 'place', factsOf());
    expect(by('of the rules')).toMatchObject({ effect: 'allow' });
    expect(by('of other rules')).toMatchObject({ effect: 'deny', reasons: ['POLICY_CHANGED'], policy: 'of the rules' });
    const forbidden = [{ reason: 'POLICY_FORBIDS', id: 'policies/a', message: 'no' }] as const;
    expect(by('of other rules', rulesOf({}, { forbidden })).reasons).toEqual(['POLICY_FORBIDS', 'POLICY_CHANGED']);
  });

  it('asks where no more is missing than another approval, and says no where more is', () => {
    const needed = { reason: 'LIVE_NEEDS_TAP', id: 'base/live-by-tap', message: 'by tap' } as const;
    const other = { reason: 'POLICY_FORBIDS', id: 'policies/a', message: 'no' } as const;
    const mandate = { ...subject, approval: 'mandate', approvers: [] } as const;
    const said = (...forbidden: (typeof needed | typeof other)[]) =>
      evaluatePolicy(rulesOf({}, { forbidden }), mandate, 'place', factsOf());
    expect(said(needed)).toMatchObject({ effect: 'ask', reasons: ['LIVE_NEEDS_TAP'], texts: ['by tap'] });
    expect(said(needed, other)).toMatchObject({ effect: 'deny', reasons: ['POLICY_FORBIDS'], texts: ['no'] });
    expect(toDecisionProblem(said(needed)).toProblem()).toMatchObject({ reason: 'LIVE_NEEDS_TAP' });
  });

  it('is the same for the same, and changes nothing that it is given', () => {
    const facts = factsOf();
    const before = structuredClone(facts);
    expect(evaluatePolicy(rulesOf(), subject, 'place', facts)).toEqual(
      evaluatePolicy(rulesOf(), subject, 'place', facts),
    );
    expect(facts).toEqual(before);
  });

  it('tells all that stands against it: state, broker, limits, policies', () => {
    const limits = { max_order_notional: '1', sides: ['sell' as const], symbols: { deny: ['AAPL'] } };
    const cedar = {
      forbidden: [{ reason: 'SYMBOL_RESTRICTED', id: 'no-aapl', message: 'no AAPL' }],
    } as const;
    const decision = decided(
      { counted: { state: 'reducing' }, world: { asset: { ...world.asset, tradable: false } } },
      rulesOf({ limitsOf: () => limits }, cedar),
    );
    expect(decision.reasons).toEqual([
      'TRADING_REDUCING_ONLY',
      'SYMBOL_NOT_TRADABLE',
      'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
      'SYMBOL_DENIED',
      'SIDE_NOT_ALLOWED',
      'SYMBOL_RESTRICTED',
    ]);
    expect(decision.texts).toHaveLength(6);
  });
});

describe('what the broker and the market ask keeps its problem code, and gains reasons', () => {
  const closed: Circumstances = {
    order: { type: 'market', limit_price: undefined },
    world: { market: { ...world.market, is_open: false } },
  };
  const untraded = { asset: { ...world.asset, tradable: false } };
  const whole = { order: { qty: '0.5' }, world: { asset: { ...world.asset, fractionable: false } } };

  it.each<[string, string, number, Circumstances]>([
    ['ACCOUNT_BLOCKED', 'blocked', 422, { world: { account: anAccount({ trading_blocked: true }) } }],
    ['SYMBOL_NOT_TRADABLE', 'symbol_not_tradable', 422, { world: untraded }],
    ['SYMBOL_NOT_FRACTIONABLE', 'symbol_not_fractionable', 422, whole],
    ['MARKET_CLOSED', 'market_closed', 409, closed],
    [
      'PRICE_MOVED',
      'price_moved',
      409,
      { order: { limit_price: '190.00' }, world: { quote: aQuote({ ask: '181.82' }) } },
    ],
    ['PRICE_UNAVAILABLE', 'price_unavailable', 409, { world: { quote: aQuote({ bid: '0', ask: '0', last: '0' }) } }],
    ['ORDER_NOT_TAKEN_BY_BROKER', 'invalid_order', 400, { order: { limit_price: '180.001' } }],
  ])('%s: %s', (reason, code, status, circumstances) => {
    expect(decided(circumstances).reasons).toEqual([reason]);
    expect(problemOf(circumstances)).toMatchObject({
      ...{ status, code, reason, reasons: [reason], policy: 'of the rules' },
      detail: expect.stringMatching(/\w/),
    });
  });

  it('says what is needed to go on', () => {
    const moved = problemOf({ order: { limit_price: '190.00' }, world: { quote: aQuote({ ask: '181.82' }) } });
    expect(moved).toMatchObject({ current_price: '181.82', reference_price: '180.01', max_slippage: '0.01' });
    expect(problemOf(closed)).toMatchObject({ next_open: world.market.next_open });
    expect(problemOf({ order: { limit_price: '180.001' } })).toMatchObject({ fields: ['limit_price'] });
  });
});
describe('what a broker takes', () => {
  const none = { types: [], timesInForce: [] };
  /** Takes whole shares by limit and stop-limit orders of the day. */
  const plain: BrokerTraits = {
    ...alpacaTraits,
    orders: {
      us_equity: {
        timesInForce: { market: [], limit: ['day'], stop: [], stop_limit: ['day'], trailing_stop: [] },
        fractions: { ...none, decimals: 0 },
        amounts: none,
        extendedHours: none,
        classes: {},
        ticks: [{ from: '0', decimals: 2 }],
      },
    },
  };
  const judged = (changes: Changes, traits: BrokerTraits) => {
    const facts = toUncountedFacts({ draft: changed(changes) }, { ...world, traits }, { now: NOON });
    const prices = { ...facts, market: factsOf().market, counted: nothingCounted };
    return evaluatePolicy(rulesOf(), subject, 'place', prices);
  };
  const market: Changes = { type: 'market', limit_price: undefined };

  it.each<[string, Changes]>([
    ['a limit order', {}],
    ['a market order, which goes out as a limit order', market],
    ['a stop, sent as a stop-limit', { type: 'stop', stop_price: '190.00', limit_price: undefined }],
  ])('%s passes', (_, changes) => {
    expect(judged(changes, plain)).toMatchObject({ effect: 'allow' });
  });

  it.each<[string, Changes, string]>([
    ['a time in force', { time_in_force: 'gtc' }, 'time_in_force'],
    ['a type', { type: 'trailing_stop', limit_price: undefined, trail_percent: '2' }, 'type'],
    ['parts of a share', { qty: '0.5' }, 'qty'],
    ['an amount', { ...market, qty: undefined, notional: '500' }, 'notional'],
    ['extended hours', { extended_hours: true }, 'extended_hours'],
    ['a price off the tick', { limit_price: '0.1234' }, 'limit_price'],
  ])('%s that it does not take is refused, and says what would do', (_, changes, field) => {
    const decision = judged(changes, plain);
    expect(decision).toMatchObject({
      reasons: ['ORDER_NOT_TAKEN_BY_BROKER'],
      problem: { status: 400, code: 'invalid_order', fields: [field] },
      hint: expect.stringMatching(/\w/),
    });
    expect(judged(changes, alpacaTraits)).toMatchObject({ effect: 'allow' });
  });
});

describe('the state of trading', () => {
  it.each<['halted' | 'reducing', string, Changes, readonly string[]]>([
    ['halted', 'stops a purchase', {}, ['TRADING_HALTED']],
    ['halted', 'stops a sale', { side: 'sell' }, ['TRADING_HALTED']],
    ['reducing', 'stops a purchase', {}, ['TRADING_REDUCING_ONLY']],
    ['reducing', 'lets a holding be sold', { side: 'sell', qty: '10' }, []],
    ['reducing', 'lets no more be sold', { side: 'sell', qty: '11' }, ['TRADING_REDUCING_ONLY']],
  ])('%s %s', (state, _, changes, reasons) => {
    const reference = changes.side === 'sell' ? { reference_price: '179.99' } : {};
    const circumstances = { counted: { state }, order: { ...changes, ...reference } };
    expect(decided(circumstances).reasons).toEqual(reasons);
    expect(decided({ ...circumstances, replaces: 'order-1' }, rulesOf(), 'replace').reasons).toEqual(reasons);
  });

  it('lets every cancel pass, whatever else is wrong', () => {
    const broken = rulesOf({ problem: 'limits.yaml:3: …', limitsOf: () => ({ max_order_notional: '1' }) });
    expect(decided({ counted: { state: 'halted' } }, broken, 'cancel')).toMatchObject({ effect: 'allow' });
  });
});

describe('rules that are wrong', () => {
  it('trade nothing, and say why', () => {
    const broken = rulesOf({ problem: 'limits.yaml:3: unknown key' });
    for (const action of ['place', 'replace', 'grant_mandate'] as const) {
      expect(decided({}, broken, action)).toMatchObject({
        reasons: ['POLICY_INVALID'],
        hint: expect.stringContaining('limits.yaml:3'),
      });
    }
    // They are mended by one of these.
    expect(decided({}, broken, 'change_policy')).toMatchObject({ effect: 'allow' });
  });

  it('that may not name the account as it was meant trade nothing there, and say which entry is wrong', () => {
    const limitsProblem = (account: string) => `limits.yaml has an entry for ${account}0`;
    const uncertain = rulesOf({ limitsProblem });
    for (const action of ['place', 'replace', 'grant_mandate'] as const) {
      expect(decided({}, uncertain, action)).toMatchObject({
        reasons: ['POLICY_INVALID'],
        hint: expect.stringContaining('limits.yaml has an entry for PA'),
      });
    }
    for (const action of ['cancel', 'change_policy'] as const) {
      expect(decided({}, uncertain, action)).toMatchObject({ effect: 'allow' });
    }
  });

  it('that can’t be evaluated deny, beside what the others say', () => {
    const cedar: CedarResult = {
      forbidden: [{ reason: 'POLICY_FORBIDS', id: 'mine', message: 'not on a Tuesday' }],
      error: 'the rule "other" could not be evaluated',
    };
    const decision = decided({}, rulesOf({}, cedar));
    expect(decision.reasons).toEqual(['POLICY_FORBIDS', 'POLICY_UNEVALUABLE']);
    expect(toDecisionProblem(decision).toProblem()).toMatchObject({
      status: 403,
      code: 'policy_denied',
      detail: 'not on a Tuesday',
      hint: expect.stringContaining('"mine"'),
    });
  });
});
