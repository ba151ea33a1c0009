import type { Alert } from '../trading/alert.ts';

/** Checks every so often while the market is open, or once per trading day. */
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
  /** RFC 3339, or null. */
  readonly snoozed_until: string | null;
}

/** The schedules and channels of alerts. Without both, an alert is never reported. */
export interface AlertCoverage {
  /** Ids of the schedules that check it. */
  readonly looked_at_by: readonly string[];
  /** The notice channels that report it. */
  readonly told_by: readonly string[];
}

/** The person's alerts, on this machine or on their agent's server. */
export interface Alerts {
  list(): Promise<AlertCoverage & { readonly alerts: readonly AlertView[] }>;
  /** @param most maximum number of alerts afterwards @throws {TradeAgentError} `blocked`, `invalid_config` */
  add(alert: Alert, most?: number): Promise<AlertCoverage & { readonly added: AlertView; readonly isNew: boolean }>;
  /** @param which a name, or a symbol for all of its alerts @throws {TradeAgentError} `not_found` */
  remove(which: string): Promise<{ readonly removed: readonly AlertView[] }>;
  /** Schedules checks at these times, unless a schedule already has them. */
  look(every: CheckTime): Promise<{ readonly schedule: string; readonly isNew: boolean; readonly with: string }>;
}

/** Maximum number of alerts that a model may set, which bounds what outside text could make it do. */
export const MAX_ALERTS_BY_AGENT = 20;
