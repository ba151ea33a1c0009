import type { AuditNote } from './audit.ts';

/** Texts of rule files by name: `limits.yaml`, `policies/NAME.cedar` and `firm/NAME.cedar`. */
export type RuleTexts = Readonly<Record<string, string>>;

/** The texts at one moment. */
export interface RuleSnapshot {
  /** Changes whenever any text changes. */
  readonly version: string;
  readonly texts: RuleTexts;
}

export interface RuleChange {
  /** New texts by name. Null deletes a text. Texts that are not listed remain unchanged. */
  readonly texts: Readonly<Record<string, string | null>>;
  /** Whether the changed rules have limits. If they have none, a database also forgets that there were limits. */
  readonly isLimited: boolean;
  /** Audit log entry about the change. */
  readonly note?: AuditNote;
}

/** Stores the gateway's rules: files in its folder, or a table of a database that several gateways share. */
export interface RuleStore {
  /** The folder with the files. Undefined for a database. */
  readonly folder?: string;
  /** Returns the current version. Called before each decision, so implementations must be fast. */
  version(): Promise<string>;
  /** @throws {TradeAgentError} `invalid_config` if a file can't be used; the database's error if it is unavailable */
  read(): Promise<RuleSnapshot>;
  /**
   * Changes several texts, either all or none, if the store still has the version `read`.
   * @param now milliseconds since the epoch
   * @param record adds the change's note to the audit log. Stores that can't do so in the change's own transaction
   * call it before the change, so that no change is made without an entry
   * @returns whether the store still had that version
   */
  replace(
    read: string,
    change: RuleChange,
    now: number,
    record: (note: AuditNote, now: number) => Promise<void>,
  ): Promise<boolean>;
  /** Completes an interrupted change. Undefined if changes can't be interrupted. */
  recover?(): Promise<void>;
}

/**
 * Stores whether the gateway's rules ever contained limits. If so, an empty or missing rules file is an error, and does
 * not mean that the owner wants no limits.
 */
export interface LimitsStore {
  hadLimits(): Promise<boolean>;
  /** Stores the time of the first call; later calls do nothing. @param now milliseconds since the epoch */
  remember(now: number): Promise<void>;
  forget(): Promise<void>;
}
