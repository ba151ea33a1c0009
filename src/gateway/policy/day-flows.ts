import type { Activity } from '../../trading/activity.ts';
import { dayFlow } from '../../trading/day-flow.ts';
import { DAY, newYorkInstant } from '../../trading/new-york-time.ts';
import type { Account, Position } from '../../trading/views.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Rules } from './rules.ts';

/** Whether something of the rules goes by the day's loss of this account. */
export function asksDayLoss(
  { limitsOf, cedar }: Pick<Rules, 'limitsOf' | 'cedar'>,
  account: string,
): boolean {
  return limitsOf(account)?.max_day_loss !== undefined || cedar.asksDayLoss === true;
}

/** So late a flow may be booked after the day it is dated on, and a broker may count by either: milliseconds. */
const BOOKED_LATE_MS = 7 * DAY;
/** Of a hundred each, without fills: more of a week are no person's account. */
const MOST_PAGES = 10;

/** What moved money or shares around the last close; undefined where the broker can't tell. @throws {Refusal} as its reads do */
export async function readDayFlows(
  broker: Pick<OpenAccount, 'activities' | 'traits'>,
  { last_equity_on: closedOn }: Account,
): Promise<readonly Activity[] | undefined> {
  const { dayFlows } = broker.traits;
  if (dayFlows === 'left_out') return [];
  if (dayFlows === 'untold' || closedOn === undefined) return undefined;
  const after = new Date(newYorkInstant(closedOn, '00:00') - BOOKED_LATE_MS);
  const found: Activity[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const answer = await broker.activities({ after, page, withoutFills: true });
    found.push(...answer.activities);
    if (answer.next_page === null) return found;
    page = answer.next_page;
  }
  return undefined;
}

/** The flow of {@link readDayFlows}, shares at the price of their position; null where nobody can tell. */
export function dayFlowOf(
  activities: readonly Activity[] | undefined,
  { last_equity_on: closedOn }: Account,
  { positions, now }: { readonly positions: readonly Position[]; readonly now: number },
): string | null {
  if (activities?.length === 0) return '0';
  if (activities === undefined || closedOn === undefined) return null;
  const prices = new Map(positions.map(({ symbol, current_price }) => [symbol, current_price]));
  return dayFlow(activities, { closedOn, now, priceOn: (symbol) => prices.get(symbol) })?.toFixed() ?? null;
}
