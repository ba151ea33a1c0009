/**
 * By how much the later half of a session has more in use than the earlier, in the middle of each: what grows with the work
 * done shows here, what is loaded and compiled once does not.
 * @param looks at equal steps; the first quarter, in which caches fill, is left out
 */
export function growthOf(looks: readonly number[]): number {
  const warm = looks.slice(Math.floor(looks.length / 4));
  const half = Math.floor(warm.length / 2);
  return middle(warm.slice(half)) - middle(warm.slice(0, half));
}

export function middle(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
