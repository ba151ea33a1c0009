/** How much may go through: so much a second, and so much at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  /** At least what is taken at once. */
  readonly burst: number;
}

/**
 * Buckets that processes share, so that all of them together stay within what a broker or a provider takes. By the generic
 * cell rate algorithm (ITU-T I.371): in any t seconds no more than `burst + perSecond * t` goes through.
 */
export interface RateBuckets {
  /**
   * Takes tokens, all or none.
   * @returns 0 where they were taken; else none was, and it may be worth another try after so many milliseconds
   * @throws {RangeError} for more than `burst`, which would never go through, or none at all
   */
  take(bucket: string, rate: Rate, tokens: number): Promise<number>;
}

/** @throws {RangeError} see {@link RateBuckets.take} */
export function requireTakeable({ perSecond, burst }: Rate, tokens: number): void {
  if (!(perSecond > 0) || !(tokens > 0) || !(tokens <= burst))
    throw new RangeError(`${tokens} of a bucket of ${burst}, at ${perSecond} a second`);
}
