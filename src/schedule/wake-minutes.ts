import type { Moments } from './moments.ts';

/** Every zone on Earth is whole quarters of an hour from every other. */
const QUARTER = 15;
/** A field of minutes has 60 at most, so twice as many moments see all of them. */
const ENOUGH = 120;

/**
 * The minutes of each hour at which the machine must start the program to meet a schedule's moments, whatever its own
 * zone and daylight saving: those of the moments, and the quarters of an hour from them. Each of them also catches up
 * what was missed. Oldest first.
 */
export function wakeMinutes(moments: Moments, now: number): number[] {
  const residues = new Set(moments.after(now, ENOUGH).map((moment) => Math.floor(moment / 60_000) % QUARTER));
  return Array.from({ length: 60 }, (_, minute) => minute).filter((minute) => residues.has(minute % QUARTER));
}
