import type { AccountEntry } from '../../../trading/account-entry.ts';
import type { Activity } from '../../../trading/activity.ts';
import type { MandateView } from '../../../trading/mandate/mandate.ts';
import type { Article } from '../../../trading/market-news.ts';
import type { TradingState } from '../../../trading/policy-views.ts';
import type { Proposal } from '../../../trading/proposal.ts';
import type { RecordLine, RecordVerdict } from '../../../trading/record-line.ts';
import type { Account, Bar, Order, Position, Quote } from '../../../trading/views.ts';

/** The account's value at a time (RFC 3339), in dollars. */
export interface DatedValue {
  readonly at: string;
  readonly equity: string;
}

export interface TradingStatus {
  readonly state: TradingState;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export interface AccountReads {
  account(): Promise<Account>;
  positions(): Promise<readonly Position[]>;
  orders(query: { readonly status: 'all'; readonly limit: number }): Promise<readonly Order[]>;
  valueHistory(period: string): Promise<readonly DatedValue[]>;
  /** Returns the activities after `after` (milliseconds since the epoch), oldest first. */
  activities(query: { readonly after: number }): Promise<readonly Activity[]>;
  /** Returns the symbols' quotes. @param use `names` if only the names are used, which are cached for longer */
  quotes(symbols: readonly string[], use?: 'names'): Promise<readonly Quote[]>;
  /** Returns at most the last 1,000 bars, oldest first. Times are in milliseconds since the epoch. */
  bars(query: PriceQuery): Promise<readonly Bar[]>;
  /** Returns news, newest first. The text comes from outside sources and is untrusted. */
  news(query: { readonly symbols: readonly string[]; readonly limit: number }): Promise<readonly Article[]>;
}

interface PriceQuery {
  readonly symbol: string;
  readonly timeframe: '1Day' | '1Hour' | '1Min';
  readonly start: number;
  readonly end: number;
  /** Whether prices are adjusted only for splits or also for dividends (`all`). */
  readonly adjustment: 'split' | 'all';
}

/**
 * One person's data. Each call reads its source again and can throw the source's errors. An error affects only the part
 * of the page that shows this data.
 */
export interface DashboardData extends AccountReads {
  /** Lists all accounts. The inherited methods read the selected account (by default, the default account). */
  accounts(): Promise<readonly AccountEntry[]>;
  inAccount(account: string): AccountReads;
  /** Returns proposals, newest first. The lists below have the same order. */
  proposals(query: { readonly limit: number }): Promise<readonly Proposal[]>;
  mandates(): Promise<readonly MandateView[]>;
  halted(): Promise<TradingStatus>;
  record(limit: number): Promise<readonly RecordLine[]>;
  verifyRecord(): Promise<RecordVerdict>;
  withdraw(id: string): Promise<unknown>;
  halt(): Promise<unknown>;
  /**
   * Calls `changed` when data may have changed, until the signal aborts. If the returned promise settles earlier, the
   * caller must call `follow` again.
   */
  follow(signal: AbortSignal, changed: () => void): Promise<void>;
  /** Data that exists only on the agent's machine. Undefined on all other machines. */
  readonly agent: AgentData | undefined;
}

/** Data stored by the agent. Times are RFC 3339. */
export interface AgentData {
  /** Address of the chat page. */
  readonly chat: string;
  schedules(): Promise<readonly ScheduleLine[]>;
  runs(limit: number): Promise<readonly RunLine[]>;
  findings(): Promise<readonly FindingLine[]>;
  threads(limit: number): Promise<readonly ThreadLine[]>;
}

export interface ScheduleLine {
  readonly id: string;
  readonly name: string | null;
  /** Timing such as `cron 30 9 * * 1-5` or `at close-30m`. */
  readonly when: string;
  readonly next: string | undefined;
  readonly overdue: string | undefined;
}

export interface RunLine {
  readonly schedule: string;
  readonly started_at: string;
  readonly status: string;
  readonly found: number;
  readonly findings: readonly { readonly severity: string; readonly message: string }[];
  readonly error?: { readonly message: string } | undefined;
}

export interface FindingLine {
  /** Text such as `PA3ALICE01 at Alpaca`. Set only if several accounts are checked. */
  readonly account?: string | undefined;
  readonly rule: string;
  readonly subject: string;
  readonly since: string;
}

export interface ThreadLine {
  readonly thread: string;
  readonly prompt: string;
  readonly status: string;
  readonly updated_at: string;
}

/** The broker's names for the periods, with the texts of their links. */
export const periodNames = {
  '1D': ['1D', 'One day'],
  '1W': ['1W', 'One week'],
  '1M': ['1M', 'One month'],
  '3M': ['3M', 'Three months'],
  '1A': ['1Y', 'One year'],
  '10A': ['All', 'All time'],
} as const;
export type Period = keyof typeof periodNames;
