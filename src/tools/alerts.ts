import type { Alert } from '../trading/alert.ts';

/** When alerts are checked: at intervals while the market is open, or once per trading day. */
export const checkTimes = ['15m', '30m', '1h', 'open', 'close'] as const;
export type CheckTime = (typeof checkTimes)[number];

/** Timings in New York time. A schedule's `when_open` limits them to market hours. */
export const checkTimings: Readonly<Record<CheckTime, { readonly cron: string } | { readonly at: string }>> = {
  '15m': { cron: '*/15 9-16 * * 1-5' },
  '30m': { cron: '*/30 9-16 * * 1-5' },
  '1h': { cron: '30 9-15 * * 1-5' },
  open: { at: 'open+5m' },
  close: { at: 'close-30m' },
};

export const checkTimeTexts: Readonly<Record<CheckTime, string>> = {
  '15m': 'every 15 minutes while the market is open',
  '30m': 'every half hour while the market is open',
  '1h': 'every hour while the market is open',
  open: 'five minutes after each open',
  close: 'half an hour before each close',
};

export interface AlertView {
  readonly name: string;
  readonly alert: Alert;
  readonly enabled: boolean;
  /** The time until which the alert is not reported, RFC 3339. Null if it is not snoozed. */
  readonly snoozed_until: string | null;
}

/** If either list is empty, no alert is ever reported. */
export interface AlertCoverage {
  /** IDs of the schedules that check the alerts. */
  readonly looked_at_by: readonly string[];
  /** The notice channels that report the alerts. */
  readonly told_by: readonly string[];
}

/** The person's alerts, on this machine or on their agent's server. */
export interface Alerts {
  list(): Promise<AlertCoverage & { readonly alerts: readonly AlertView[] }>;
  /**
   * Adds an alert. @param most maximum number of alerts @throws {TradeAgentError} `blocked`, `invalid_config`
   */
  add(alert: Alert, most?: number): Promise<AlertCoverage & { readonly added: AlertView; readonly isNew: boolean }>;
  /**
   * Removes alerts. @param which an alert's name, or the symbol of the alerts @throws {TradeAgentError} `not_found`
   */
  remove(which: string): Promise<{ readonly removed: readonly AlertView[] }>;
  /** Schedules checks at these times, unless a schedule with these times already exists. */
  scheduleChecks(
    every: CheckTime,
  ): Promise<{ readonly schedule: string; readonly isNew: boolean; readonly with: string }>;
}

/** Maximum number of alerts that a model may set. Limits what text from outside sources can make the model do. */
export const MAX_ALERTS_SET_BY_MODEL = 20;
