import type { Activity } from '../activity.ts';
import { newYorkDate } from '../new-york-time.ts';

/**
 * Adds the imported activities from before the first day of the broker's history to the broker's activities. Later
 * imported activities are left out, because they would be counted twice. Only cost allocations of spin-offs are always
 * added, because no broker reports them. Both inputs and the result are oldest first.
 */
export function mergeImportedActivities(
  broker: readonly Activity[],
  imported: readonly Activity[],
): readonly Activity[] {
  const before = importedBeforeBroker(broker, imported);
  const used = new Set(before);
  const divisions = imported.filter((one) => one.basis !== undefined && !used.has(one));
  if (imported.length === 0 || before.length + divisions.length === 0) return broker;
  // The broker reports the shares of a spin-off itself, so only the cost allocation is imported.
  return [...before, ...divisions.map((one) => ({ ...one, qty: null })), ...broker].sort(
    (a, b) => Date.parse(a.at) - Date.parse(b.at),
  );
}

export function importedBeforeBroker(broker: readonly Activity[], imported: readonly Activity[]): Activity[] {
  const began = brokerHistoryStart(broker);
  return imported
    .filter(({ at }) => began === undefined || newYorkDate(Date.parse(at)) < began)
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

export function brokerHistoryStart(broker: readonly Activity[]): string | undefined {
  const first = Math.min(...broker.slice(0, 1).map(({ at }) => Date.parse(at)));
  return Number.isFinite(first) ? newYorkDate(first) : undefined;
}
