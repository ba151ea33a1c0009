import type { Alert } from '../trading/alert.ts';

/** When alerts are looked at: so often while the market is open, or once a trading day. */
export const lookTimes = ['15m', '30m', '1h', 'open', 'close'] as const;
export type LookTime = (typeof lookTimes)[number];

/** By New York time, with the market's hours left to a schedule's `when_open`. */
export const lookTimings: Readonly<Record<LookTime, { readonly cron: string } | { readonly at: string }>> = {
  '15m': { cron: '*/15 9-16 * * 1-5' },
  '30m': { cron: '*/30 9-16 * * 1-5' },
  '1h': { cron: '30 9-15 * * 1-5' },
  open: { at: 'open+5m' },
  close: { at: 'close-30m' },
};

/** As in "are looked at …". */
export const lookWords: Readonly<Record<LookTime, string>> = {
  '15m': 'every 15 minutes while the market is open',
  '30m': 'every half hour while the market is open',
  '1h': 'every hour while the market is open',
  open: 'five minutes after each opening',
  close: 'half an hour before each closing',
};

/** An alert as it is kept. */
export interface AlertView {
  readonly name: string;
  readonly alert: Alert;
  readonly enabled: boolean;
  /** RFC 3339; null where it is not put off. */
  readonly snoozed_until: string | null;
}

/** What makes an alert heard. Without either it is a line in a file. */
export interface AlertCare {
  /** The schedules that look at it, by id. */
  readonly looked_at_by: readonly string[];
  /** The channels that tell of it. */
  readonly told_by: readonly string[];
}

/** The person's own alerts: on this machine, or at the server that their agent runs at. */
export interface Alerts {
  list(): Promise<AlertCare & { readonly alerts: readonly AlertView[] }>;
  /** @param most alerts there may be after it @throws {TradeAgentError} `blocked`, `invalid_config` */
  add(
    alert: Alert,
    most?: number,
  ): Promise<AlertCare & { readonly added: AlertView; readonly isNew: boolean }>;
  /** @param which a name, or a symbol: then all of it @throws {TradeAgentError} `not_found` */
  remove(which: string): Promise<{ readonly removed: readonly AlertView[] }>;
  /** Has it looked at them at these times; a schedule that does so already is left as it is. */
  look(
    every: LookTime,
  ): Promise<{ readonly schedule: string; readonly isNew: boolean; readonly with: string }>;
}

/** What outside text could bring a model to set is bounded too. */
export const MOST_BY_AGENT = 20;
