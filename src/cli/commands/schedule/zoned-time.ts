import { EXCHANGE_ZONE } from '../../../schedule/schedule.ts';

export function localTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Formats a time as RFC 3339, to the second, with the time zone's offset at that time. */
export function zonedTimestamp(at: number, zone: string): string {
  const parts = dateParts(at, zone, 'longOffset');
  const offset = (parts.timeZoneName ?? '').replace('GMT', '');
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}${offset === '' ? 'Z' : offset}`;
}

/** Formats a time in New York and local time: `Fri 2026-11-27 12:30 EST, here 18:30 GMT+1`. */
export function formatInBothZones(at: number, local: string): string {
  const exchange = dateParts(at, EXCHANGE_ZONE, 'short');
  const here = dateParts(at, local, 'short');
  const date = (parts: Parts) => `${parts.weekday} ${parts.year}-${parts.month}-${parts.day}`;
  const clock = (parts: Parts) => `${parts.hour}:${parts.minute} ${parts.timeZoneName}`;
  const there = `${date(exchange)} ${clock(exchange)}`;
  if (clock(here) === clock(exchange) && date(here) === date(exchange)) return there;
  return `${there}, here ${date(here) === date(exchange) ? '' : `${date(here)} `}${clock(here)}`;
}

type Parts = Partial<Record<Intl.DateTimeFormatPartTypes, string>>;

function dateParts(at: number, zone: string, timeZoneName: 'short' | 'longOffset'): Parts {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName,
  });
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}
