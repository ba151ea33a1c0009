/** Matches an expiry day or month as people write it: `2026-12-18`, `12-18`, `2026-12`, `12`. */
export const expiryPattern = /^(20[0-9]{2}-)?(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$/;

/** Returns whether a date is the given day or in the given month. Without a year, any year matches. */
export function matchesExpiry(date: string, said: string): boolean {
  const whole = /^\d{4}-/.test(said) ? date : date.slice('2026-'.length);
  return whole === said || whole.startsWith(`${said}-`);
}

/** Returns the first and last date of the given day or month. Without a year, uses its next occurrence. */
export function expiryRange(said: string, today: string): { readonly from: string; readonly to: string } {
  if (!/^\d{4}-/.test(said)) {
    const year = Number(today.slice(0, 4));
    const isOver = `${year}-${said}` < today.slice(0, `${year}-${said}`.length);
    return expiryRange(`${isOver ? year + 1 : year}-${said}`, today);
  }
  if (said.length > '2026-12'.length) return { from: said, to: said };
  const [year = 0, month = 0] = said.split('-').map(Number);
  return { from: `${said}-01`, to: new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10) };
}
