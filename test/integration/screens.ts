/**
 * Which of several screens a page is looked at on: all with `PAGES=all`, else those that differ most from each other.
 * @param most their names
 */
export function screensOf<T>(all: Readonly<Record<string, T>>, most: readonly string[]): [string, T][] {
  const { PAGES } = process.env;
  return Object.entries(all).filter(([name]) => PAGES === 'all' || most.includes(name));
}
