import { z } from 'zod';
import { orderSchema } from './views.ts';

/** What came of one order of a batch: it is at the broker, it was refused, or it was not sent since another was. */
export const batchLineSchema = z.lazy(() =>
  z.object({
    client_order_id: z.string(),
    outcome: z.enum(['placed', 'refused', 'not_sent']),
    /** Of one that was placed. */
    order: orderSchema.optional(),
    /** Of one that was refused: the gateway's problem code, and a sentence. */
    reason: z.object({ code: z.string(), text: z.string() }).optional(),
  }),
);
export type BatchLine = z.output<typeof batchLineSchema>;
