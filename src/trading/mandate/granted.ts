import { z } from 'zod';

/** What came of a mandate that its owner said yes to. */
export const grantedSchema = z.lazy(() =>
  z.object({
    mandate: z.string(),
    granted_at: z.string(),
    replaced: z.string().optional(),
    /** When the gateway orders first by itself, RFC 3339; absent where it waits for a price, or programs go by it. */
    next_at: z.string().optional(),
  }),
);
export type Granted = z.output<typeof grantedSchema>;
