import { z } from 'zod';

/** So many requests a second, and so many at once after a pause. */
const rate = z.strictObject({
  per_second: z.number().positive().max(10_000),
  burst: z.number().int().min(1).max(10_000),
});
const rateOf = ({ per_second: perSecond, burst }: z.output<typeof rate>) => ({ perSecond, burst });

/** How fast others are asked, by all gateways over one database together. */
export const ratesSchema = z.strictObject({
  /**
   * About one account at a broker. Left out: what the broker says that it takes, at its own addresses and where the data is on
   * PostgreSQL; `off`: as fast as it comes.
   */
  broker: z
    .union([z.literal('off'), rate.transform(rateOf)], {
      error: 'must be "off", or have per_second and burst',
    })
    .optional(),
  /** The identity provider, for approvals. Left out: as fast as it comes. */
  provider: rate.transform(rateOf).optional(),
});
