import { TradeAgentError } from '../errors/errors.ts';
import type { AlertView } from '../tools/alerts.ts';
import type { Alert } from '../trading/alert.ts';
import { alertsIn, type StoredAlert, withAlert, withoutRules } from './alerts.ts';

/** The alerts that a rules file's text has, as people are shown them. @throws {TradeAgentError} `invalid_config` */
export async function listedAlerts(text: string, file: string): Promise<AlertView[]> {
  return text === '' ? [] : (await alertsIn(text, file)).map(viewOf);
}

/**
 * The text with one alert more, and that alert as it stands there.
 * @param most alerts there may be after it
 * @throws {TradeAgentError} `blocked` where there would be more; `invalid_config`
 */
export async function addedAlert(
  before: string,
  file: string,
  alert: Alert,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly text: string; readonly added: AlertView; readonly isNew: boolean }> {
  const { text, name, isNew } = await withAlert(before, file, alert);
  const all = await listedAlerts(text, file);
  if (isNew && all.length > most) {
    throw new TradeAgentError('blocked', `there are ${most} alerts already`, {
      hint: 'Remove one first, or add this one yourself: trade-agent alert add.',
    });
  }
  const added = all.find((one) => one.name === name);
  if (added === undefined) throw new TypeError('an alert that was written is one');
  return { text, added, isNew };
}

/**
 * The text without the alert of a name, or all of a symbol.
 * @throws {TradeAgentError} `not_found`; `invalid_config`
 */
export async function removedAlerts(
  before: string,
  file: string,
  which: string,
): Promise<{ readonly text: string; readonly removed: readonly AlertView[] }> {
  const alerts = await listedAlerts(before, file);
  const named = alerts.filter(({ name }) => name === which);
  const removed =
    named.length > 0 ? named : alerts.filter(({ alert }) => alert.symbol === which.toUpperCase());
  if (removed.length === 0) throw noSuchAlert(which, alerts);
  const names = removed.map(({ name }) => name);
  return { text: await withoutRules(before, file, names), removed };
}

function noSuchAlert(which: string, alerts: readonly AlertView[]): TradeAgentError {
  const names = alerts.map(({ name }) => name).join(', ');
  return new TradeAgentError('not_found', `there is no alert "${which}"`, {
    hint:
      alerts.length === 0
        ? 'There are none at all.'
        : `The alerts are ${names}; a symbol means all of its own.`,
  });
}

function viewOf({ name, alert, enabled, snooze }: StoredAlert): AlertView {
  return {
    name,
    alert,
    enabled,
    snoozed_until: snooze === undefined ? null : new Date(snooze).toISOString(),
  };
}
