import type { Activity } from '../trading/activity.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';

/** A rule that has fired for a subject. */
export interface RuleFiring {
  readonly rule: string;
  readonly subject: string;
  /** The rule's definition when it fired. If the definition changes, the rule can fire again. */
  readonly definition: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A conditional order. `asked` is true once approval is known to have been requested. */
interface ProposedOrder {
  readonly thread: string;
  readonly asked: boolean;
}

/** A snapshot of an account's state that is kept between checks. */
export interface CheckSnapshot {
  fired(): readonly RuleFiring[];
  mark(): HighWaterMark | undefined;
  proposed(rule: string, definition: string): ProposedOrder | undefined;
}

/** A notice. The store keeps members other than these unchanged. */
export interface StoredNotice {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
}

/** A notice, the channel to send it to, and the firings it reports. */
export interface OutgoingNotice<Notice extends StoredNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly firings: readonly RuleFiring[];
  /** Expiry, in milliseconds since the epoch. */
  readonly until: number;
}

export interface WaitingNotice<Notice extends StoredNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly until: number;
  /** Number of attempts in earlier checks. */
  readonly attempts: number;
}

/** Returns the firings that a channel was not notified of and that no waiting notice reports. */
export type UnnotifiedFilter = (channel: string, firings: readonly RuleFiring[]) => RuleFiring[];

/** The unsent notices of an account: stored before they are sent, removed afterwards. */
export interface NoticeOutbox<Notice extends StoredNotice> {
  untold(): Promise<UnnotifiedFilter>;
  /** Stores all notices or none. Does not change notices that are already stored. */
  put(notices: readonly OutgoingNotice<Notice>[]): Promise<void>;
  /** Oldest first. */
  waiting(): Promise<WaitingNotice<Notice>[]>;
  tried(id: string, attempts: number): Promise<void>;
  remove(id: string): Promise<void>;
}

/** State of an account that is kept between checks. Each method is one transaction. */
export interface AccountCheckState<Notice extends StoredNotice> {
  remembered(): Promise<CheckSnapshot>;
  /**
   * Replaces the fired states and the mark. Forgets which channels were notified of rules that no longer fire, so that
   * they are notified when the rules fire again.
   */
  remember(states: readonly RuleFiring[], mark: HighWaterMark | undefined): Promise<void>;
  /** Called before approval is requested, so that a crash can't cause a second request. @param now milliseconds since the epoch */
  proposing(rule: string, definition: string, thread: string, now: number): Promise<void>;
  /** Notes that approval was requested. It is then never requested again, whatever the answer. */
  asked(rule: string, definition: string): Promise<void>;
  readonly notices: NoticeOutbox<Notice>;
}

/** Cached closing prices, by symbol. */
export interface CloseCache {
  get(symbol: string): Promise<PriceHistory | undefined>;
  getAll(symbols: readonly string[]): Promise<ReadonlyMap<string, PriceHistory>>;
  put(symbol: string, history: PriceHistory): Promise<void>;
}

/** Cached activities of the account, with the time of the latest complete read. */
export interface ActivityCache {
  get(): Promise<{ readonly activities: readonly Activity[]; readonly wholeAt: number } | undefined>;
  put(activities: readonly Activity[], wholeAt: number): Promise<void>;
}

export interface ImportedFile {
  readonly id: string;
  /** The file's base name. */
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Number of the file's activities that no earlier file contains. */
  readonly rows: number;
}

/** Imported activities of an account, and their files. */
export interface ImportStore {
  /** Oldest first. */
  activities(): Promise<Activity[]>;
  /** Newest first. */
  files(): Promise<ImportedFile[]>;
  /**
   * Stores all activities or none. Activities whose ID is already stored are not changed.
   * @returns the number of new activities
   */
  put(file: Omit<ImportedFile, 'rows'>, activities: readonly Activity[]): Promise<number>;
  /**
   * Removes a file and its activities.
   * @returns the number of activities, or undefined if there is no such file
   */
  remove(id: string): Promise<number | undefined>;
}

export interface CheckedAccount {
  readonly profile: string;
  readonly account: string;
}

/** A profile's state that is kept between checks. */
export interface CheckStore<Notice extends StoredNotice> {
  readonly closes: CloseCache;
  account(owner: CheckedAccount): AccountCheckState<Notice>;
  activities(owner: CheckedAccount): ActivityCache;
  imports(owner: CheckedAccount): ImportStore;
  /** Returns the number of unsent notices per channel, for all accounts. */
  waitingNotices(): Promise<ReadonlyMap<string, number>>;
  close(): void;
}
