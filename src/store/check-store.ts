import type { Activity } from '../trading/activity.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';

/** A rule that fired, and the subject that it fired for, such as a symbol. */
export interface RuleFiring {
  readonly rule: string;
  readonly subject: string;
  /** The rule's definition when it fired. If the definition changes, the rule can fire again. */
  readonly definition: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A conditional order that a check proposed. `asked` is true if `markAsked` has recorded the approval request. */
interface ProposedOrder {
  readonly thread: string;
  readonly asked: boolean;
}

export interface CheckSnapshot {
  fired(): readonly RuleFiring[];
  mark(): HighWaterMark | undefined;
  proposed(rule: string, definition: string): ProposedOrder | undefined;
}

/** A notice. The store keeps members that are not listed here, and returns them unchanged. */
export interface StoredNotice {
  readonly id: string;
  /** Time of the notice, in RFC 3339 format. */
  readonly at: string;
}

export interface OutgoingNotice<Notice extends StoredNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly firings: readonly RuleFiring[];
  /** Time when the notice expires, in milliseconds since the epoch. */
  readonly until: number;
}

export interface WaitingNotice<Notice extends StoredNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly until: number;
  readonly attempts: number;
}

/** Returns the firings that the channel was not notified of and that are not in an unsent notice. */
export type UnnotifiedFilter = (channel: string, firings: readonly RuleFiring[]) => RuleFiring[];

/** An account's unsent notices. Each notice is stored before it is sent, and removed afterwards. */
export interface NoticeOutbox<Notice extends StoredNotice> {
  unnotified(): Promise<UnnotifiedFilter>;
  /** Stores all of the notices or none. A notice that is already stored is not changed. */
  put(notices: readonly OutgoingNotice<Notice>[]): Promise<void>;
  /** Returns the unsent notices, oldest first. */
  waiting(): Promise<WaitingNotice<Notice>[]>;
  recordAttempt(id: string, attempts: number): Promise<void>;
  remove(id: string): Promise<void>;
}

/** An account's state between two checks. Each method is one transaction. */
export interface AccountCheckState<Notice extends StoredNotice> {
  remembered(): Promise<CheckSnapshot>;
  /**
   * Replaces the stored firings and the high-water mark. For each rule that no longer fires, also forgets which
   * channels were notified, so that the channels are notified when the rule fires again.
   */
  remember(states: readonly RuleFiring[], mark: HighWaterMark | undefined): Promise<void>;
  /**
   * Records that an order is about to be proposed, so that no second approval request is sent for it after a crash.
   * @param now milliseconds since the epoch
   */
  markProposing(rule: string, definition: string, thread: string, now: number): Promise<void>;
  /** Records that approval was requested. It is never requested again for this order, even if the person denies it. */
  markAsked(rule: string, definition: string): Promise<void>;
  readonly notices: NoticeOutbox<Notice>;
}

export interface ClosingPriceCache {
  get(symbol: string): Promise<PriceHistory | undefined>;
  getAll(symbols: readonly string[]): Promise<ReadonlyMap<string, PriceHistory>>;
  put(symbol: string, history: PriceHistory): Promise<void>;
}

/** Cached activities of the account, and the time when all of them were last read from the broker. */
export interface ActivityCache {
  get(): Promise<{ readonly activities: readonly Activity[]; readonly wholeAt: number } | undefined>;
  put(activities: readonly Activity[], wholeAt: number): Promise<void>;
}

export interface ImportedFile {
  readonly id: string;
  /** The file's base name. */
  readonly file: string;
  /** Time of the import, in milliseconds since the epoch. */
  readonly at: number;
  /** Number of activities that were new when the file was imported. */
  readonly rows: number;
}

export interface ImportStore {
  /** Returns the imported activities, oldest first. */
  activities(): Promise<Activity[]>;
  /** Returns the imported files, newest first. */
  files(): Promise<ImportedFile[]>;
  /**
   * Stores all of the activities or none. An activity whose ID is already stored is not changed.
   * @returns the number of new activities
   */
  put(file: Omit<ImportedFile, 'rows'>, activities: readonly Activity[]): Promise<number>;
  /** Removes a file and its activities. @returns the number of these activities; undefined if there is no such file */
  remove(id: string): Promise<number | undefined>;
}

export interface CheckedAccount {
  readonly profile: string;
  readonly account: string;
}

export interface CheckStore<Notice extends StoredNotice> {
  readonly closes: ClosingPriceCache;
  account(owner: CheckedAccount): AccountCheckState<Notice>;
  activities(owner: CheckedAccount): ActivityCache;
  imports(owner: CheckedAccount): ImportStore;
  /** Returns the number of unsent notices for each channel, summed over all accounts. */
  waitingNotices(): Promise<ReadonlyMap<string, number>>;
  close(): void;
}
