export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Weekday = (typeof weekdays)[number];

const formats = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(zone, format);
  return format;
}

export function isTimeZone(zone: string): boolean {
  try {
    return zoneFormat(zone) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Returns the weekday and the time of day (`HH:MM`) in an IANA time zone. For New York, the functions in
 * new-york-time.ts are faster.
 * @param time milliseconds since the epoch
 */
export function zonedTimeOfDay(time: number, zone: string): { readonly day: Weekday; readonly time: string } {
  const parts = Object.fromEntries(
    zoneFormat(zone)
      .formatToParts(time)
      .map(({ type, value }) => [type, value]),
  );
  return {
    day: (parts.weekday ?? '').toLowerCase() as Weekday,
    time: `${parts.hour}:${parts.minute}`,
  };
}
