export interface RateLimit {
  readonly perSecond: number;
  /** Maximum number of tokens that can be taken at once. */
  readonly burst: number;
}

/**
 * Rate buckets that several processes share, so that together they stay within the rate limit of a broker or a
 * provider. Uses the generic cell rate algorithm (ITU-T I.371): at most `burst + perSecond * t` tokens in any t
 * seconds.
 */
export interface RateBuckets {
  /**
   * Takes all requested tokens or none.
   * @returns 0 if the tokens were taken; otherwise, an estimate of the milliseconds until they can be taken
   * @throws {RangeError} for zero tokens, or for more than `burst` tokens, which can never be taken
   */
  take(bucket: string, rate: RateLimit, tokens: number): Promise<number>;
}

/** @throws {RangeError} see {@link RateBuckets.take} */
export function validateTokenCount({ perSecond, burst }: RateLimit, tokens: number): void {
  if (!(perSecond > 0) || !(tokens > 0) || !(tokens <= burst))
    throw new RangeError(`can't take ${tokens} tokens from a bucket of ${burst} at ${perSecond} per second`);
}
