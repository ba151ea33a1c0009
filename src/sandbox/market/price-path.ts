const MINUTE = 60_000;
const FASTEST = 4 * MINUTE;
const OCTAVES = 17; // the slowest noise takes 4 min · 2^16 ≈ 182 days
/** Chosen so that a price moves about 1.5% a day, and rarely as much as 0.1% a minute (measured in the tests). */
const STRENGTH = 0.00075;

export const SNAPSHOT_TIME = Date.UTC(2026, 10, 2, 14, 30);

/** Computes the 32-bit FNV-1a hash of the UTF-16 code units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

export function uniformHash(a: number, b: number, c: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

function noise(key: number, octave: number, time: number): number {
  const position = time / (FASTEST * 2 ** octave);
  const cell = Math.floor(position);
  const within = position - cell;
  const eased = within * within * (3 - 2 * within);
  const left = uniformHash(key, octave, cell) * 2 - 1;
  const right = uniformHash(key, octave, cell + 1) * 2 - 1;
  return left + (right - left) * eased;
}

function logDeviation(key: number, time: number): number {
  let sum = 0;
  for (let octave = 0; octave < OCTAVES; octave++) {
    sum += noise(key, octave, time) * Math.SQRT2 ** octave;
  }
  return sum * STRENGTH;
}

/**
 * Returns a symbol's prices as a pure function of (seed, symbol, time). Nothing is stored, so restarts and other
 * processes see the same market. The logarithm of a price is a sum of smooth noises. Each noise is half as fast and √2
 * times as strong as the previous noise. The sum moves like a random walk, bounded by the slowest noise. Floats are
 * precise enough for made-up prices, which are rounded to the tick before further computation.
 */
export function pricePath(seed: string, symbol: string, snapshotPrice: string) {
  const key = hashText(`${seed}\n${symbol}`);
  const start = Number(snapshotPrice);
  const temper = 0.7 + 0.6 * uniformHash(key, 101, 0); // some symbols are calmer than others
  const atAnchor = logDeviation(key, SNAPSHOT_TIME);
  const sharesADay = 200_000 * 10 ** (2 * uniformHash(key, 102, 0));
  return {
    /** Returns the price at an instant (milliseconds since the epoch), in dollars a share, not rounded to the tick. */
    at: (time: number) => start * Math.exp(temper * (logDeviation(key, time) - atAnchor)),
    volume: (time: number, span: number) =>
      Math.max(
        1,
        Math.round(((sharesADay * span) / 86_400_000) * (0.5 + uniformHash(key, 103, Math.floor(time / MINUTE)))),
      ),
  };
}
