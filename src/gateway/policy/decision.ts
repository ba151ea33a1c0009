import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { Membership } from '../../oauth/membership.ts';
import type { CountedFacts } from '../../trading/counted-order.ts';
import { Dec } from '../../trading/decimal.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';

export type { CountedFacts } from '../../trading/counted-order.ts';

/** What is decided about: the same names are Cedar's actions. */
export type Action = 'place' | 'replace' | 'cancel' | 'send_message' | 'change_policy' | 'grant_mandate';

/** Who asks for it, and by whose yes: told by verified tokens alone. */
export interface Subject {
  /** Who proposes. */
  readonly sub: string;
  readonly client: string;
  /** As whose they come, and who acts for them, where their token tells. */
  readonly membership?: Membership | undefined;
  /** Whose account it is. */
  readonly owner: string;
  /** By what it is approved: nothing yet, the owner's tap, or a mandate of theirs. */
  readonly approval: 'none' | 'tap' | 'mandate';
  /** Who has approved it, where somebody has. */
  readonly approvers: readonly string[];
  /** By which sign-in (claim `acr`) each of them did; '' where their token does not tell. */
  readonly acr?: readonly string[] | undefined;
}

/**
 * What is known when it is decided, as plain JSON: amounts and quantities are decimal strings, times RFC 3339. It is
 * recorded with a refusal, and read again by `policy diff --replay`, so it holds no token and nothing that is not needed.
 * `null` stands for what nobody could tell: a limit that needs it refuses (`FACT_UNAVAILABLE`).
 */
export interface Facts {
  readonly at: string;
  readonly account: string;
  readonly environment: 'paper' | 'live';
  readonly order: OrderFacts | null;
  readonly market: MarketFacts | null;
  readonly broker: BrokerFacts | null;
  readonly holdings: HoldingFacts | null;
  /** Of an order for an option; absent for any other. */
  readonly option?: OptionFacts | undefined;
  readonly counted: CountedFacts;
  /** Further facts by who adds them (`mandate`, `relations`), flat. */
  readonly more: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

/** All but what the journal counts: read before the transaction that counts. */
export type WorldFacts = Omit<Facts, 'counted'>;

export interface OrderFacts {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: string;
  readonly time_in_force: string;
  readonly extended_hours: boolean;
  /** Shares; null for an order for an amount. */
  readonly qty: string | null;
  /** Dollars a share, as they were asked for: the bound that a market order goes out with is not among them. */
  readonly limit_price: string | null;
  readonly stop_price: string | null;
  /** Where it has exits: which, and what its stop loss is held to at the broker. Absent in facts of before there were any. */
  readonly order_class?: string;
  readonly stop_loss?: { readonly stop_price: string; readonly limit_price: string };
  readonly reference_price: string;
  readonly max_slippage: string;
  /** Dollars it counts for: the most that it can come to, rounded up; null where nothing bounds it. */
  readonly notional: string | null;
  /** Shares it counts for; of an order for an amount, as many as that is at the reference price. */
  readonly shares: string;
}

export interface MarketFacts {
  /** The exchange's time, as the broker tells it. */
  readonly at: string;
  readonly is_open: boolean;
  readonly next_open: string;
  /** The date in New York of the last session that has begun; null where none is known. */
  readonly session: string | null;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly last: string | null;
  /** When the quote is of. */
  readonly quoted_at: string;
}

export interface BrokerFacts {
  /** The broker will not trade this account now. */
  readonly trading_blocked: boolean;
  /** Of the order's symbol. */
  readonly tradable: boolean;
  readonly fractionable: boolean;
  /** Whether the account is let at the class of it; true for shares, absent in facts of before there were others. */
  readonly class_enabled?: boolean;
  /** Why this broker takes no such orders; null where it does. */
  readonly objection: { readonly text: string; readonly hint?: string; readonly field?: string } | null;
}

/** What an order for an option is held to, by the broker; what this gateway has out is counted beside (`Covering`). */
export interface OptionFacts {
  readonly intent: PositionIntent | null;
  /** What the broker lets the account trade of options, 0 to 3. */
  readonly level: number;
  /** Shares of what the option is on that no other call may take, and that are on sale nowhere; below zero where short. */
  readonly free_shares: string | null;
  /** Dollars that secure no other put, and are in no other purchase. */
  readonly free_cash: string | null;
}

/** The account at the broker, and what is open in it by other ways than this gateway. */
export interface HoldingFacts {
  readonly equity: string;
  /** At the last session's close; null where the broker doesn't tell. */
  readonly last_equity: string | null;
  /** Dollars from outside since, less those that went there (`dayFlow`); null where nobody could tell, absent where no rule asked. */
  readonly day_flow?: string | null;
  /** Shares held of the order's symbol; negative where short. */
  readonly qty: string;
  /** What they are worth, dollars. */
  readonly value: string;
  readonly open_elsewhere: {
    readonly orders: number;
    /** Dollars of the purchases in the order's symbol; null where nothing bounds one of them. */
    readonly symbol_notional: string | null;
    /** Shares of the order's symbol in the sales. */
    readonly symbol_sells: string;
    /** Whether one of the other side is open in the same symbol. */
    readonly opposes: boolean;
  };
}

export interface Decision {
  readonly effect: 'allow' | 'deny' | 'ask';
  /** All that stand against it, or (`ask`) make the owner's tap needed; the first is the one that is told first. */
  readonly reasons: readonly PolicyReason[];
  /** A sentence for each reason, in the same order. */
  readonly texts: readonly string[];
  /** What to do about the first reason. */
  readonly hint?: string;
  /** Of the first reason, where it has such: what may be, and what would be. */
  readonly limit?: string;
  readonly value?: string | null;
  /** How the first reason is told, where it has a problem code of its own. */
  readonly problem?: OwnProblem;
  /** Digest of the rules that it was decided by. */
  readonly policy: string;
}

/** A problem other than 403 `policy_denied`, with its members. */
interface OwnProblem {
  readonly status: number;
  readonly code: ProblemCode;
  readonly fields?: readonly string[];
  readonly members?: Readonly<Record<string, string>>;
}

/** One thing that stands against it. */
export interface Objection {
  readonly reason: PolicyReason;
  readonly text: string;
  readonly hint?: string;
  readonly limit?: string;
  readonly value?: string | null;
  readonly problem?: OwnProblem;
}

/** What an account has lost since the last close, dollars; below zero on a good day, undefined where nobody can tell. */
export function dayLoss({ equity, last_equity, day_flow }: HoldingFacts): Dec | undefined {
  if (last_equity === null || day_flow == null) return undefined;
  return new Dec(last_equity).plus(day_flow).minus(equity);
}

/** Shares of the order's symbol that are held and that no open order sells; below zero where it is short. */
export function freeToSell({ qty, open_elsewhere }: HoldingFacts, counted: CountedFacts): Dec {
  return new Dec(qty).minus(counted.open_symbol_sells).minus(open_elsewhere.symbol_sells);
}

/** Whether an order sells no more than what is held. */
export function isReducing({ side, shares }: OrderFacts, { holdings, counted }: Facts): boolean {
  return side === 'sell' && holdings !== null && new Dec(shares).lte(freeToSell(holdings, counted));
}
