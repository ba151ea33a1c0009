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
