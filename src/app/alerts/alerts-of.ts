import { addedAlert, listedAlerts, removedAlerts } from '../../check/alert-list.ts';
import type { AlertCare, Alerts, LookTime } from '../../tools/alerts.ts';
import type { App } from '../app.ts';
import { type AlertFile, alertFile, alertText, changeAlertFile } from './alert-file.ts';
import { lookAtAlerts } from './look-at-alerts.ts';

/** The alerts of the profile in use that this machine keeps, for the agent's tools and for `trade-agent alert`. Asks no server. */
export function alertsOf(app: App): Alerts {
  return {
    async list() {
      const place = await alertFile(app);
      return { alerts: await listedAlerts(alertText(place), place.file), ...careOf(place) };
    },
    async add(alert, most) {
      const { place, result } = await changeAlertFile(app, async ({ file }, before) => {
        const { text, ...added } = await addedAlert(before, file, alert, most);
        return { text, result: added };
      });
      return { ...result, ...careOf(place) };
    },
    async remove(which) {
      const { result } = await changeAlertFile(app, async ({ file }, before) => {
        const { text, removed } = await removedAlerts(before, file, which);
        return { text, result: { removed } };
      });
      return result;
    },
    look: (every: LookTime) => lookAtAlerts(app, every),
  };
}

function careOf({ watching, channels }: AlertFile): AlertCare {
  return { looked_at_by: watching.map(({ name, id }) => name ?? id), told_by: channels };
}
