import { z } from 'zod';

/** `push` of home.yaml: how phones ring. */
export const pushSettingsSchema = z.lazy(() =>
  z.strictObject({
    /** What a lock screen may show: the order, or only that there is one. */
    content: z.enum(['full', 'short']).optional(),
    /** When the owner is told by `notices`, too: where no push got through, or always. */
    notices: z.enum(['fallback', 'always']).optional(),
    /** Whether people are told what was filled of their orders: they are, unless it is false. */
    fills: z.boolean().optional(),
    /** Whom a push service may write to where something is wrong (RFC 8292 §2.1). */
    contact: z
      .string()
      .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, 'must be mailto:… or https://…')
      .optional(),
  }),
);
export type PushSettings = z.output<typeof pushSettingsSchema>;
