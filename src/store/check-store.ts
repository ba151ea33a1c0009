import type { Activity } from '../trading/activity.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';

/** What is remembered of a rule and a subject while it stands. */
export interface FiredState {
  readonly rule: string;
  readonly subject: string;
  /** Of the rule as it was: a changed rule fires anew. */
  readonly definition: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A conditional order on its way to the person; `asked` once an approval of it is known to exist. */
export interface ProposedOrder {
  readonly thread: string;
  readonly asked: boolean;
}

/** What checks remembered of one account at one moment. */
export interface Remembered {
  fired(): readonly FiredState[];
  mark(): HighWaterMark | undefined;
  /** Where a conditional order was proposed; undefined for one that was not. */
  proposed(rule: string, definition: string): ProposedOrder | undefined;
}

/** What people are told; whatever else is in it is kept as it is. */
export interface KeptNotice {
  readonly id: string;
  /** When it was made, RFC 3339. */
  readonly at: string;
}

/** A notice to be sent by a channel, and the firings it tells of. */
export interface OutgoingNotice<Notice extends KeptNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly firings: readonly FiredState[];
  /** Milliseconds since the epoch; later it is of no use. */
  readonly until: number;
}

export interface WaitingNotice<Notice extends KeptNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly until: number;
  /** How often it was tried at earlier checks. */
  readonly attempts: number;
}

/** Those of some firings that a channel has neither been told of nor is about to be. */
export type Untold = (channel: string, firings: readonly FiredState[]) => FiredState[];

/** The notices of one account that are still to be sent: kept before they are sent, removed once they were. */
export interface NoticeOutbox<Notice extends KeptNotice> {
  /** As of now. */
  untold(): Promise<Untold>;
  /** All at once, or none. One that is kept already stays as it is. */
  put(notices: readonly OutgoingNotice<Notice>[]): Promise<void>;
  /** Oldest first. */
  waiting(): Promise<WaitingNotice<Notice>[]>;
  tried(id: string, attempts: number): Promise<void>;
  /** It was sent, or never will be. */
  remove(id: string): Promise<void>;
}

/** What checks remember of one account. Each method is one unit of work. */
export interface AccountMemory<Notice extends KeptNotice> {
  remembered(): Promise<Remembered>;
  /** What stands, the mark, and that what no longer stands may be told anew: all of it, or nothing. */
  remember(states: readonly FiredState[], mark: HighWaterMark | undefined): Promise<void>;
  /** Before the person is asked, so that no crash leads to a second question. @param now milliseconds since the epoch */
  proposing(rule: string, definition: string, thread: string, now: number): Promise<void>;
  /** They were asked: whatever they answer, it is never asked again. */
  asked(rule: string, definition: string): Promise<void>;
  /** What people are still to be told. */
  readonly notices: NoticeOutbox<Notice>;
}

/** Closing prices kept from one check to the next, so that only what is new is asked for. */
export interface CloseCache {
  get(symbol: string): Promise<PriceHistory | undefined>;
  /** Of those that are kept; one question for all of them. */
  getAll(symbols: readonly string[]): Promise<ReadonlyMap<string, PriceHistory>>;
  put(symbol: string, history: PriceHistory): Promise<void>;
}

/** The account's activities as they were when all were last read: what is new since then is asked for at each check. */
export interface ActivityCache {
  get(): Promise<{ readonly activities: readonly Activity[]; readonly wholeAt: number } | undefined>;
  put(activities: readonly Activity[], wholeAt: number): Promise<void>;
}

/** A file of activities that was taken in. */
export interface ImportedFile {
  readonly id: string;
  /** The file's name, without its folders. */
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Those that no file before it had. */
  readonly rows: number;
}

/** Activities of one account from files of the person's. */
export interface ImportStore {
  /** Oldest first by when they happened. */
  activities(): Promise<Activity[]>;
  /** Newest first. */
  files(): Promise<ImportedFile[]>;
  /** All at once, or nothing. Rows whose ids are there stay as they are. @returns how many were new */
  put(file: Omit<ImportedFile, 'rows'>, activities: readonly Activity[]): Promise<number>;
  /** Takes a file's rows out again. @returns how many those were; undefined for no such file */
  remove(id: string): Promise<number | undefined>;
}

/** Whose account checks remember. */
export interface AccountOwner {
  readonly profile: string;
  readonly account: string;
}

/** What checks of one profile remember. */
export interface CheckStore<Notice extends KeptNotice> {
  readonly closes: CloseCache;
  account(owner: AccountOwner): AccountMemory<Notice>;
  activities(owner: AccountOwner): ActivityCache;
  imports(owner: AccountOwner): ImportStore;
  /** How many notices each channel has yet to send, whoever's account. */
  waitingNotices(): Promise<ReadonlyMap<string, number>>;
  close(): void;
}
