import { TradeAgentError } from '../errors/errors.ts';
import type { Activity } from './activity.ts';
import { newYorkDate } from './new-york-time.ts';

interface ActivityPage {
  readonly activities: readonly Activity[];
  readonly next_page: string | null;
}

/**
 * Reads all pages, newest first, and returns the activities oldest first, without those that were corrected.
 * @throws {TradeAgentError} `gateway_refused` if a page repeats, because the pages would never end
 */
export async function readAllActivities(
  readPage: (page: string | undefined) => Promise<ActivityPage>,
): Promise<Activity[]> {
  const found: Activity[] = [];
  const pages = new Set<string | undefined>();
  for (let page: string | undefined; !pages.has(page); ) {
    pages.add(page);
    const { activities, next_page } = await readPage(page);
    for (const activity of activities) found.push(activity);
    if (next_page === null) return replaceCorrected(found.reverse());
    page = next_page;
  }
  throw new TradeAgentError('gateway_refused', 'the broker returns the same page of activities again and again');
}

/**
 * Leaves out the activities that others correct. A broker does not say which activity a correction replaces. We take one
 * of the same type, symbol, side and day that was booked before: if possible, one that is no correction itself and has
 * the same quantity or amount, otherwise the last one. Running this again changes nothing.
 */
export function replaceCorrected(activities: readonly Activity[]): Activity[] {
  const open = activities.filter(({ corrects }) => corrects === '');
  const replaced = new Set(activities.flatMap(({ corrects }) => corrects ?? []));
  const resolved = new Map<Activity, string>();
  const similar = Map.groupBy(open.length === 0 ? [] : activities, correctionKey);
  for (const one of open) {
    const earlier = (similar.get(correctionKey(one)) ?? []).filter(
      (other) => other !== one && bookedAt(other) <= bookedAt(one) && !replaced.has(other.id),
    );
    const rank = (other: Activity) => (other.corrects === undefined ? 2 : 0) + (isSameSize(other, one) ? 1 : 0);
    const [original] = earlier.sort((a, b) => rank(b) - rank(a) || bookedAt(b) - bookedAt(a));
    if (original === undefined) continue;
    replaced.add(original.id);
    resolved.set(one, original.id);
  }
  return activities
    .filter(({ id }) => !replaced.has(id))
    .map((one) => {
      const corrects = resolved.get(one);
      return corrects === undefined ? one : { ...one, corrects };
    });
}

const correctionKey = ({ type, symbol, side, at }: Activity) =>
  JSON.stringify([type, symbol, side, newYorkDate(Date.parse(at))]);

const bookedAt = ({ at, booked_at }: Activity) => Date.parse(booked_at ?? at);

const isSameSize = (a: Activity, b: Activity) => a.qty === b.qty || a.amount === b.amount;
