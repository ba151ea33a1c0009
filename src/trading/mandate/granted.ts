import { z } from 'zod';

export const grantedSchema = z.lazy(() =>
  z.object({
    mandate: z.string(),
    granted_at: z.string(),
    replaced: z.string().optional(),
    next_at: z.string().optional(),
  }),
);
export type Granted = z.output<typeof grantedSchema>;
