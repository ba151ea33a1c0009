import { z } from 'zod';

export const mandateResultSchema = z.lazy(() =>
  z.object({
    mandate: z.string(),
    granted_at: z.string(),
    replaced: z.string().optional(),
    next_at: z.string().optional(),
  }),
);
export type MandateResult = z.output<typeof mandateResultSchema>;
