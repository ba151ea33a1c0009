import { createHash } from 'node:crypto';
import { symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkTimestamp, weekday } from '../../../trading/new-york-time.ts';
import {
  type CountedTotals,
  computeDayLoss,
  type DecisionFacts,
  type DecisionSubject,
  type HoldingFacts,
  type MarketFacts,
  type OrderFacts,
  type PolicyAction,
} from '../decision.ts';
import { PROPOSER_FACT_PREFIX } from '../parties.ts';
import type { CedarResult, CedarRules } from '../rules.ts';
import type { CedarDecision, CedarEngine, CedarRequest, CedarValue } from './cedar-engine.ts';
import { type CedarRule, ruleTextsById } from './rule-text.ts';

const NOT_PUT = 'the rules can’t be evaluated with this data';

/**
 * Creates an evaluator that returns the rules that forbid an action, in the order of `rules`. If a rule can't be
 * evaluated, only its id is reported, because Cedar's message can quote an order's facts. A cancellation always passes.
 * @param rules including the rules that apply in every gateway
 */
export function createCedarRules(
  engine: CedarEngine,
  rules: readonly CedarRule[],
  limitsOf: (account: string) => CedarLimits | undefined,
): CedarRules {
  const policies = ruleTextsById(rules);
  // Names the set by its contents, because Cedar caches parsed sets by name.
  const name = createHash('sha256').update(JSON.stringify(policies)).digest('base64url');
  const set = { name, policies };
  return {
    // Any backslash counts as well, because a rule may write the name with escape sequences.
    asksDayLoss: rules.some(({ text }) => /day_loss|\\/.test(text)),
    evaluate(subject, action, facts) {
      if (action === 'cancel') return { forbidden: [] };
      let decision: CedarDecision;
      try {
        decision = engine.decide(set, cedarRequest(subject, action, facts, limitsOf(facts.account)));
      } catch {
        return { forbidden: [], error: NOT_PUT };
      }
      return decision.decided ? answer(decision, rules) : { forbidden: [], error: NOT_PUT };
    },
  };
}

function answer(
  { by, failed, allowed }: Extract<CedarDecision, { decided: true }>,
  rules: readonly CedarRule[],
): CedarResult {
  const held = rules.filter(({ id, effect }) => effect === 'forbid' && by.includes(id));
  const forbidden = held.map(({ reason, id, message }) => ({ reason, id, message }));
  // Cedar skips a rule that can't be evaluated, as if the rule did not forbid anything.
  if (failed.length > 0) return { forbidden, error: `these rules can’t be evaluated: ${failed.join(', ')}` };
  if (allowed || forbidden.length > 0) return { forbidden };
  return { forbidden: [{ reason: 'POLICY_FORBIDS', id: 'base', message: 'no rule allows this' }] };
}

/** Used if Cedar can't be loaded: nothing is sent, but cancellations still pass. */
export const unavailableCedarRules: CedarRules = {
  evaluate: (_subject, action) =>
    action === 'cancel' ? { forbidden: [] } : { forbidden: [], error: 'Cedar can’t be loaded' },
};

/** Limits that rules can refer to, in dollars, as decimal strings. */
export interface CedarLimits {
  readonly max_order_notional?: string | undefined;
  readonly max_day_notional?: string | undefined;
  readonly live?:
    | { readonly mandate_up_to?: string | undefined; readonly second_person_above?: string | undefined }
    | undefined;
}

/**
 * Builds a Cedar request that conforms to schema.cedarschema.
 * @throws {RangeError} if an amount has too many decimals for Cedar, or a time is invalid
 */
function cedarRequest(
  subject: DecisionSubject,
  action: PolicyAction,
  facts: DecisionFacts,
  limits: CedarLimits | undefined,
): CedarRequest {
  const resource = { type: 'Account', id: facts.account };
  const attrs = {
    owner: entity('User', subject.owner),
    environment: facts.environment,
    limits: record({
      max_order_notional: decimal(limits?.max_order_notional, 'nearest'),
      max_day_notional: decimal(limits?.max_day_notional, 'nearest'),
      live_mandate_up_to: decimal(limits?.live?.mandate_up_to, 'down'),
      live_second_person_above: decimal(limits?.live?.second_person_above, 'down'),
    }),
  };
  const { order, market, holdings, option } = facts;
  const trades = action === 'place' || action === 'replace';
  const context = record({
    at: datetime(facts.at),
    new_york: newYork(Date.parse(facts.at)),
    client: entity('Client', subject.client),
    approval: subject.approval,
    approvers: subject.approvers.map((sub) => entity('User', sub)),
    approver_count: new Set(subject.approvers).size,
    act: texts(facts.more[`${PROPOSER_FACT_PREFIX}act`]),
    counted: counted(facts.counted, order),
    market: market === null ? undefined : quoted(market),
    holdings: holdings === null ? undefined : held(holdings),
    order: trades && order !== null ? ordered(order, option?.intent ?? undefined) : undefined,
  });
  const principal = { type: 'User', id: subject.sub };
  const known = record({
    org: texts(facts.more[`${PROPOSER_FACT_PREFIX}org`]),
    company: texts(facts.more[`${PROPOSER_FACT_PREFIX}company`]),
    groups: texts(facts.more[`${PROPOSER_FACT_PREFIX}groups`]),
  });
  return {
    principal,
    action: { type: 'Action', id: action },
    resource,
    context,
    entities: [
      { uid: resource, attrs, parents: [] },
      // A principal without attributes is not listed.
      ...(Object.keys(known).length === 0 ? [] : [{ uid: principal, attrs: known, parents: [] }]),
    ],
  };
}

function texts(fact: DecisionFacts['more'][string] | undefined): CedarValue | undefined {
  return typeof fact === 'string' ? fact : Array.isArray(fact) ? [...fact] : undefined;
}

function ordered(order: OrderFacts, position_intent: string | undefined): CedarValue {
  return record({
    symbol: order.symbol,
    asset_class: symbolAssetClass(order.symbol),
    position_intent,
    side: order.side,
    type: order.type,
    time_in_force: order.time_in_force,
    extended_hours: order.extended_hours,
    order_class: order.order_class,
    qty: decimal(order.qty, 'up'),
    shares: decimal(order.shares, 'up'),
    limit_price: decimal(order.limit_price, 'nearest'),
    stop_price: decimal(order.stop_price, 'nearest'),
    reference_price: decimal(order.reference_price, 'nearest'),
    max_slippage: decimal(order.max_slippage, 'up'),
    notional: decimal(order.notional, 'up'),
  });
}

function quoted({ is_open, bid, ask, last, quoted_at }: MarketFacts): CedarValue {
  return record({
    is_open,
    bid: decimal(bid, 'nearest'),
    ask: decimal(ask, 'nearest'),
    last: decimal(last, 'nearest'),
    quoted_at: datetime(quoted_at),
  });
}

function held(holdings: HoldingFacts): CedarValue {
  const { equity, last_equity, qty, value } = holdings;
  return record({
    equity: decimal(equity, 'down'),
    last_equity: decimal(last_equity, 'down'),
    day_loss: decimal(computeDayLoss(holdings)?.toFixed(), 'up'),
    qty: decimal(qty, 'down'),
    value: decimal(value, 'down'),
  });
}

function counted(facts: CountedTotals, order: OrderFacts | null): CedarValue {
  const { day_notional, open_symbol_notional, open_symbol_sells, same_before } = facts;
  const after = order === null || order.notional === null ? null : new Dec(day_notional).plus(order.notional).toFixed();
  return record({
    state: facts.state,
    day_notional: decimal(day_notional, 'up'),
    day_notional_after: decimal(after, 'up'),
    day_orders: facts.day_orders,
    last_minute: facts.last_minute,
    open_orders: facts.open_orders,
    open_symbol_notional: decimal(open_symbol_notional, 'up'),
    open_symbol_sells: decimal(open_symbol_sells, 'up'),
    same_before: same_before === null ? undefined : Math.floor(same_before),
    opposes_open: facts.opposes_open,
  });
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

function newYork(time: number): CedarValue {
  const wall = newYorkTimestamp(time);
  const [hours = 0, minutes = 0] = wall.slice(11, 16).split(':').map(Number);
  const date = wall.slice(0, 10);
  return { date, day: DAYS[weekday(date)] ?? '', minute: hours * 60 + minutes };
}

/** Formats a decimal for Cedar, with a point and at most four fraction digits. */
function decimal(value: string | null | undefined, rounded: 'up' | 'down' | 'nearest'): CedarValue | undefined {
  if (value === null || value === undefined) return undefined;
  const how = ({ up: Dec.ROUND_CEIL, down: Dec.ROUND_FLOOR, nearest: Dec.ROUND_HALF_EVEN } as const)[rounded];
  const exact = new Dec(value);
  if (!exact.isFinite() || exact.abs().gt('922337203685477.58')) throw new RangeError('too large for a Cedar decimal');
  return { __extn: { fn: 'decimal', arg: exact.toFixed(4, how) } };
}

function datetime(at: string): CedarValue {
  return { __extn: { fn: 'datetime', arg: new Date(at).toISOString() } };
}

function entity(type: 'User' | 'Client', id: string) {
  return { __entity: { type, id } };
}

function record(values: Readonly<Record<string, CedarValue | undefined>>): Record<string, CedarValue> {
  const known = Object.entries(values).filter((entry): entry is [string, CedarValue] => entry[1] !== undefined);
  return Object.fromEntries(known);
}
