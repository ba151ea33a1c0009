import type { ProposalOrigin } from '../../approval/kind.ts';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { Membership } from '../../oauth/membership.ts';
import type { CountedTotals } from '../../trading/counted-order.ts';
import { Dec } from '../../trading/decimal.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';

export type { CountedTotals } from '../../trading/counted-order.ts';

/** An action that the policy allows or denies. Cedar's actions have the same names. */
export type PolicyAction = 'place' | 'replace' | 'cancel' | 'send_message' | 'change_policy' | 'grant_mandate';

/** The proposer and the approvers, read only from verified tokens. */
export interface DecisionSubject {
  /** The proposer's `sub`. */
  readonly sub: string;
  readonly client: string;
  readonly membership?: Membership | undefined;
  /** The `sub` of the account's owner. */
  readonly owner: string;
  readonly approval: 'none' | 'tap' | 'mandate';
  readonly approvers: readonly string[];
  /** The `acr` claim of each approver's token; '' if absent. */
  readonly acr?: readonly string[] | undefined;
  /** The digest of the rules under which the owner approved the order. */
  readonly policy?: string | undefined;
  /** Set while a proposal is being made. */
  readonly origin?: ProposalOrigin | undefined;
}

/**
 * The facts at the time of a decision, as plain JSON: amounts are decimal strings, times are RFC 3339 strings. They
 * contain no token, because they are recorded with a denial, and read again by `policy diff --replay`. `null` means
 * unknown: a limit that needs an unknown fact objects with `FACT_UNAVAILABLE`.
 */
export interface DecisionFacts {
  readonly at: string;
  readonly account: string;
  readonly environment: 'paper' | 'live';
  readonly order: OrderFacts | null;
  readonly market: MarketFacts | null;
  readonly broker: BrokerFacts | null;
  readonly holdings: HoldingFacts | null;
  readonly option?: OptionFacts | undefined;
  /** Set only for a message. */
  readonly message?: MessageFacts | undefined;
  readonly counted: CountedTotals;
  /** Additional facts. Each name begins with the source of the fact (`mandate.`, `relations.`). */
  readonly more: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

/** Facts without the journal's counts. They are read before the transaction that counts orders begins. */
export type UncountedFacts = Omit<DecisionFacts, 'counted'>;

export interface OrderFacts {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: string;
  readonly time_in_force: string;
  readonly extended_hours: boolean;
  /** Number of shares; null for an order for a dollar amount. */
  readonly qty: string | null;
  /** The requested limit, in dollars per share. Does not include the limit that we add when sending a market order. */
  readonly limit_price: string | null;
  readonly stop_price: string | null;
  /** The order's class and, as sent to the broker, its stop loss. Only set for an order with legs. */
  readonly order_class?: string;
  readonly stop_loss?: { readonly stop_price: string; readonly limit_price: string };
  readonly reference_price: string;
  readonly max_slippage: string;
  /** The most that the order can cost or bring in, in dollars, rounded up; null if there is no upper bound. */
  readonly notional: string | null;
  /** Number of shares. For an order for a dollar amount, it is calculated with the reference price. */
  readonly shares: string;
}

export interface MarketFacts {
  /** The exchange's time, as the broker reports it. */
  readonly at: string;
  readonly is_open: boolean;
  readonly next_open: string;
  /** New York date of the latest session that has begun; null if unknown. */
  readonly session: string | null;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly last: string | null;
  readonly quoted_at: string;
}

export interface BrokerFacts {
  readonly trading_blocked: boolean;
  readonly tradable: boolean;
  readonly fractionable: boolean;
  /** Whether the account is allowed to trade this asset class. */
  readonly class_enabled?: boolean;
  /** The approved fees (null if the order states none), and the fees as calculated now. Absent in older records. */
  readonly fees?: {
    /** Whether the broker's fees are known. */
    readonly known: boolean;
    readonly max_fees: { readonly approved: string | null; readonly now: string };
    readonly coin_fee: { readonly approved: string | null; readonly now: string };
  };
  /** Why this broker would reject the order; null if the broker would accept it. */
  readonly objection: { readonly text: string; readonly hint?: string; readonly field?: string } | null;
}

/** The broker's facts about an option. The open orders of this gateway are counted separately. */
export interface OptionFacts {
  readonly intent: PositionIntent | null;
  /** The account's options level, 0 to 3. */
  readonly level: number;
  /** Shares of the underlying that cover no other call and are in no open sell order; negative if short. */
  readonly free_shares: string | null;
  /** Dollars that neither secure another put nor are needed for another open purchase. */
  readonly free_cash: string | null;
}

export interface MessageFacts {
  /** The recipient as limits list it, such as `gmail:bob@example.com`. */
  readonly recipient: string;
  /** Number of the person's messages that have been, or may have been, sent today (New York time). */
  readonly sent_today: number;
}

/** The account's holdings at the broker, and open orders that were not sent by this gateway. */
export interface HoldingFacts {
  readonly equity: string;
  /** Equity at the last session's close; null if unknown. */
  readonly last_equity: string | null;
  /**
   * Net deposits since the last session's close, in dollars (`netDepositsToday`); null if unknown, absent if no rule
   * needs them.
   */
  readonly day_flow?: string | null;
  /** Shares held of the order's symbol; negative for a short position. */
  readonly qty: string;
  /** Value of the position in the order's symbol, in dollars. */
  readonly value: string;
  readonly open_elsewhere: {
    readonly orders: number;
    /** Open purchases of the order's symbol, in dollars; null if any has no upper bound. */
    readonly symbol_notional: string | null;
    /** Shares of the order's symbol that are in open sell orders. */
    readonly symbol_sells: string;
    /** Whether an order for the symbol is open on the opposite side. */
    readonly opposes: boolean;
  };
}

export interface Decision {
  readonly effect: 'allow' | 'deny' | 'ask';
  /** The objections or, for `ask`, why the owner's tap is needed. The HTTP problem describes the first reason. */
  readonly reasons: readonly PolicyReason[];
  readonly texts: readonly string[];
  readonly hint?: string;
  /** The allowed value and (in `value`) the actual value, if the first reason is an exceeded limit. */
  readonly limit?: string;
  readonly value?: string | null;
  /** Set if the first reason has an HTTP problem other than 403 `policy_denied`. */
  readonly problem?: OwnProblem;
  /** Digest of the rules. */
  readonly policy: string;
}

interface OwnProblem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly fields?: readonly string[];
  readonly members?: Readonly<Record<string, string>>;
}

export interface Objection {
  readonly reason: PolicyReason;
  readonly text: string;
  readonly hint?: string;
  readonly limit?: string;
  readonly value?: string | null;
  readonly problem?: OwnProblem;
}

export function factUnavailableObjection(what: string): Objection {
  return { reason: 'FACT_UNAVAILABLE', text: `could not determine ${what}`, hint: 'Try again in a moment.' };
}

/** Flattens the arguments into one list, keeps their order, and leaves out `undefined` and `false`. */
export function collectObjections<T extends object>(...all: readonly (T | readonly T[] | false | undefined)[]): T[] {
  return all.flatMap<T>((one) => one || []);
}

/** Returns the dollars lost since the last close (negative after a gain); undefined if unknown. */
export function computeDayLoss({ equity, last_equity, day_flow }: HoldingFacts): Dec | undefined {
  if (last_equity === null || day_flow == null) return undefined;
  return new Dec(last_equity).plus(day_flow).minus(equity);
}

/** Returns the number of shares that are held and in no open sell order; negative if short. */
export function computeSharesFreeToSell({ qty, open_elsewhere }: HoldingFacts, counted: CountedTotals): Dec {
  return new Dec(qty).minus(counted.open_symbol_sells).minus(open_elsewhere.symbol_sells);
}

/** Returns whether an order only sells shares that are held and in no open sell order. */
export function isReducingOrder({ side, shares }: OrderFacts, { holdings, counted }: DecisionFacts): boolean {
  return side === 'sell' && holdings !== null && new Dec(shares).lte(computeSharesFreeToSell(holdings, counted));
}
