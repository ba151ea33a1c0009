import type { Paint } from './theme.ts';

/** How long a price may stand before it has to say its age. */
const FRESH_MS = 60_000;

/** `3 min`, `2 h`, `5 d`: the largest unit alone. */
function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** The age of a price that is not of this minute: `3 min old`; nothing for one that is. @param at RFC 3339 */
export function ageText(at: string, now: number): string {
  const old = now - Date.parse(at);
  return Number.isNaN(old) || old < FRESH_MS ? '' : `${age(old)} old`;
}

/** When what stands on the screen and does not move was read, by local time. */
export function takenLine(
  at: number,
  { paint, simulated }: { readonly paint: Paint; readonly simulated: boolean },
): string {
  const time = localTime(new Date(at).toISOString(), { seconds: true });
  return paint('muted', `${simulated ? 'simulated prices' : 'prices'} as of ${time}`);
}

/** Up to when what is shown holds, by local time; a warning where it is no longer so. */
export function asOfLine(
  { at, stale }: { readonly at: number; readonly stale: boolean },
  { now, paint, simulated }: { readonly now: number; readonly paint: Paint; readonly simulated: boolean },
): string {
  const time = localTime(new Date(at).toISOString(), { seconds: true }).slice(11);
  const prices = simulated ? 'simulated prices' : 'prices';
  if (!stale) return paint('muted', `${prices} of ${time} · q leaves`);
  return `${paint('warn', `STALE: ${prices} of ${time}, ${age(Math.max(0, now - at))} ago; the gateway does not answer`)} · q leaves`;
}

/**
 * An instant by the clock on the person's wall, `2026-11-27 15:30`; with seconds where they matter. JSON keeps UTC.
 * @param at RFC 3339; anything else stays as it is
 */
export function localTime(at: string, { seconds = false }: { readonly seconds?: boolean } = {}): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return at;
  const two = (value: number) => String(value).padStart(2, '0');
  const then = new Date(ms);
  const day = `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`;
  const clock = `${two(then.getHours())}:${two(then.getMinutes())}`;
  return `${day} ${clock}${seconds ? `:${two(then.getSeconds())}` : ''}`;
}
