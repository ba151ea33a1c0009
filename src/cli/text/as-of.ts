import type { Paint } from './theme.ts';

const MAX_FRESH_AGE_MS = 60_000;

/** Formats an age in the largest suitable unit: `3 min`, `2 h`, `5 d`. */
function formatAge(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** Formats the age of a price, such as `3 min old`. Returns '' for less than a minute. @param at RFC 3339 */
export function priceAgeText(at: string, now: number): string {
  const old = now - Date.parse(at);
  return Number.isNaN(old) || old < MAX_FRESH_AGE_MS ? '' : `${formatAge(old)} old`;
}

export function pricesAsOfLine(
  at: number,
  { paint, simulated }: { readonly paint: Paint; readonly simulated: boolean },
): string {
  const time = formatLocalTime(new Date(at).toISOString(), { seconds: true });
  return paint('muted', `${simulated ? 'simulated prices' : 'prices'} as of ${time}`);
}

export function livePricesLine(
  { at, stale }: { readonly at: number; readonly stale: boolean },
  { now, paint, simulated }: { readonly now: number; readonly paint: Paint; readonly simulated: boolean },
): string {
  const time = formatLocalTime(new Date(at).toISOString(), { seconds: true }).slice(11);
  const prices = simulated ? 'simulated prices' : 'prices';
  if (!stale) return paint('muted', `${prices} as of ${time} · q to quit`);
  return `${paint('warn', `STALE: ${prices} as of ${time}, ${formatAge(Math.max(0, now - at))} ago; the gateway is not responding`)} · q to quit`;
}

/** Returns `2026-11-27 15:30`. (JSON output stays in UTC.) @param at RFC 3339; other text is returned unchanged */
export function formatLocalTime(at: string, { seconds = false }: { readonly seconds?: boolean } = {}): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return at;
  const two = (value: number) => String(value).padStart(2, '0');
  const then = new Date(ms);
  const day = `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`;
  const clock = `${two(then.getHours())}:${two(then.getMinutes())}`;
  return `${day} ${clock}${seconds ? `:${two(then.getSeconds())}` : ''}`;
}
