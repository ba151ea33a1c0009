import { existsSync } from 'node:fs';
import { alertsIn, type StoredAlert, withAlert, withoutRules } from '../../check/alerts.ts';
import type { AlertCare, Alerts, AlertView, LookTime } from '../../tools/alerts.ts';
import type { Alert } from '../../trading/alert.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { App } from '../app.ts';
import { requireHere } from '../server/require-here.ts';
import { type AlertFile, alertFile, alertText, changeAlertFile } from './alert-file.ts';
import { lookAtAlerts } from './look-at-alerts.ts';

/** The alerts of the profile in use, for the agent's tools and for `trade-agent alert`. Asks no server. */
export function alertsOf(app: App): Alerts {
  return {
    async list() {
      const place = await alertFile(app);
      const alerts = existsSync(place.file) ? await alertsIn(alertText(place), place.file) : [];
      return { alerts: alerts.map(viewOf), ...careOf(place) };
    },
    add: (alert, most) => addAlert(app, alert, most),
    remove: (which) => removeAlerts(app, which),
    look: (every: LookTime) => lookAtAlerts(app, every),
  };
}

async function addAlert(app: App, alert: Alert, most = Number.POSITIVE_INFINITY) {
  await requireHere(app, 'alerts');
  const { place, result } = await changeAlertFile(app, async ({ file }, before) => {
    const { text, name, isNew } = await withAlert(before, file, alert);
    const all = await alertsIn(text, file);
    if (isNew && all.length > most) {
      throw new TradeAgentError('blocked', `there are ${most} alerts already`, {
        hint: 'Remove one first, or add this one yourself: trade-agent alert add.',
      });
    }
    const added = all.find((one) => one.name === name);
    if (added === undefined) throw new TypeError('an alert that was written is one');
    return { text, result: { added: viewOf(added), isNew } };
  });
  return { ...result, ...careOf(place) };
}

async function removeAlerts(app: App, which: string) {
  const { result } = await changeAlertFile(app, async ({ file }, before) => {
    const alerts = before === '' ? [] : await alertsIn(before, file);
    const named = alerts.filter(({ name }) => name === which);
    const removed =
      named.length > 0 ? named : alerts.filter(({ alert }) => alert.symbol === which.toUpperCase());
    if (removed.length === 0) throw noSuchAlert(which, alerts);
    const text = await withoutRules(
      before,
      file,
      removed.map(({ name }) => name),
    );
    return { text, result: { removed: removed.map(viewOf) } };
  });
  return result;
}

function noSuchAlert(which: string, alerts: readonly StoredAlert[]): TradeAgentError {
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

function careOf({ watching, channels }: AlertFile): AlertCare {
  return { looked_at_by: watching.map(({ name, id }) => name ?? id), told_by: channels };
}
