import { type ActivitiesIn, activitiesIn } from '../../tools/get-activities.ts';
import type { Activity } from '../../trading/activity.ts';
import type { Period } from '../../trading/period.ts';
import type { App } from '../app.ts';
import type { StoreApp } from '../check/with-check-store.ts';
import { gatewayWithImported } from './account-history.ts';

/** What changed the account in a period, newest first, the person's imported history with it. @throws {TradeAgentError} `login_required` */
export async function listActivities(
  app: StoreApp & Pick<App, 'gateway'>,
  query: {
    readonly period: Period;
    readonly kinds?: readonly Activity['kind'][] | undefined;
    readonly limit: number;
  },
): Promise<ActivitiesIn> {
  return activitiesIn(await gatewayWithImported(app), query);
}
