import type { Activity } from '../trading/activity.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';

/** A rule that has fired for a subject. */
export interface FiredState {
  readonly rule: string;
  readonly subject: string;
  /** The rule as it was: a changed rule fires again. */
  readonly definition: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A conditional order; `asked` once its approval request is known to exist. */
interface ProposedOrder {
  readonly thread: string;
  readonly asked: boolean;
}

/** What checks remembered of an account at one moment. */
export interface Remembered {
  fired(): readonly FiredState[];
  mark(): HighWaterMark | undefined;
  proposed(rule: string, definition: string): ProposedOrder | undefined;
}

/** A notice; its other members are kept as they are. */
export interface KeptNotice {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
}

/** A notice for a channel, and the firings it reports. */
export interface OutgoingNotice<Notice extends KeptNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly firings: readonly FiredState[];
  /** When it expires, milliseconds since the epoch. */
  readonly until: number;
}

export interface WaitingNotice<Notice extends KeptNotice> {
  readonly channel: string;
  readonly notice: Notice;
  readonly until: number;
  /** Attempts at earlier checks. */
  readonly attempts: number;
}

/** The firings that a channel was not notified of, and that no waiting notice reports. */
export type Untold = (channel: string, firings: readonly FiredState[]) => FiredState[];

/** The unsent notices of an account: stored before they are sent, removed afterwards. */
export interface NoticeOutbox<Notice extends KeptNotice> {
  untold(): Promise<Untold>;
  /** All or none. A notice that is there already stays as it is. */
  put(notices: readonly OutgoingNotice<Notice>[]): Promise<void>;
  /** Oldest first. */
  waiting(): Promise<WaitingNotice<Notice>[]>;
  tried(id: string, attempts: number): Promise<void>;
  remove(id: string): Promise<void>;
}

/** What checks remember of an account. Each method is one transaction. */
export interface AccountMemory<Notice extends KeptNotice> {
  remembered(): Promise<Remembered>;
  /** Replaces what has fired, and the mark. Notices of what is over are forgotten, so that it is reported if it fires again. */
  remember(states: readonly FiredState[], mark: HighWaterMark | undefined): Promise<void>;
  /** Called before the person is asked, so that no crash leads to a second question. @param now milliseconds since the epoch */
  proposing(rule: string, definition: string, thread: string, now: number): Promise<void>;
  /** Whatever they answer, it is never asked again. */
  asked(rule: string, definition: string): Promise<void>;
  readonly notices: NoticeOutbox<Notice>;
}

/** Closing prices of earlier checks. */
export interface CloseCache {
  get(symbol: string): Promise<PriceHistory | undefined>;
  getAll(symbols: readonly string[]): Promise<ReadonlyMap<string, PriceHistory>>;
  put(symbol: string, history: PriceHistory): Promise<void>;
}

/** The account's activities as of the last time that all were read. */
export interface ActivityCache {
  get(): Promise<{ readonly activities: readonly Activity[]; readonly wholeAt: number } | undefined>;
  put(activities: readonly Activity[], wholeAt: number): Promise<void>;
}

/** An imported file of activities. */
export interface ImportedFile {
  readonly id: string;
  /** Base name. */
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** How many of its activities no earlier file had. */
  readonly rows: number;
}

/** Imported activities of an account. */
export interface ImportStore {
  /** Oldest first. */
  activities(): Promise<Activity[]>;
  /** Newest first. */
  files(): Promise<ImportedFile[]>;
  /** All or nothing. Known ids stay as they are. @returns how many were new */
  put(file: Omit<ImportedFile, 'rows'>, activities: readonly Activity[]): Promise<number>;
  /** Removes a file's rows. @returns how many; undefined if there is no such file */
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
