/** How old something is, in one unit, rounded down: `14 minutes`, `3 days`. */
export function ageText(ms: number): string {
  const [count, unit] =
    ms < 3_600_000
      ? [Math.max(0, Math.floor(ms / 60_000)), 'minute']
      : ms < 2 * 86_400_000
        ? [Math.floor(ms / 3_600_000), 'hour']
        : [Math.floor(ms / 86_400_000), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
