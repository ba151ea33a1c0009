import type { Schedule } from './schedule.ts';
import type { SchedulerName } from './scheduler-names.ts';
import type { StartCommand } from './start-command.ts';

/** One part of an entry: a file's whole content, or (file null) lines of the user's crontab. */
export interface EntryPart {
  readonly file: string | null;
  readonly text: string;
}

/** Exit codes of a run that are a result and no failure, for a scheduler that makes a noise about those; and what each means. */
export type ResultCodes = readonly { readonly code: number; readonly meaning: string }[];

/** `changed`: it is there, and is not what was written. */
export type EntryState = 'installed' | 'missing' | 'changed';

/** What starts programs at set times on this machine. It touches nothing but entries it wrote itself. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** The exact entry; writes nothing. @throws {TradeAgentError} `usage` where it can't be said */
  entry(id: string, command: StartCommand, minutes: readonly number[], timeoutMs: number): EntryPart[];
  /** @throws {TradeAgentError} `invalid_config`, `not_found`; then nothing is left behind */
  install(id: string, entry: readonly EntryPart[]): Promise<void>;
  state(schedule: Pick<Schedule, 'id' | 'entry'>): Promise<EntryState>;
  /** Takes out the entry and nothing else. False where there was none. @throws {TradeAgentError} `invalid_config` */
  remove(id: string): Promise<boolean>;
  /** What the person should know, where something must be so for the entry to be followed. */
  readonly note: string | undefined;
}
