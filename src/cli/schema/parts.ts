import { z } from 'zod';
import { orderTypes, sides } from '../../trading/order.ts';
import { orderStatuses } from '../../trading/views.ts';

export {
  approvalSummarySchema,
  approvalViewSchema,
  errorSchema,
  runStatusSchema,
  timeSchema,
} from '../../agent/view-schemas.ts';

export const signedInUserSchema = z.object({
  sub: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
});

export const orderSummarySchema = z.object({
  id: z.string(),
  client_order_id: z.string(),
  symbol: z.string(),
  side: z.enum(sides),
  qty: z.string().nullable(),
  type: z.enum(orderTypes).describe('the type at the broker'),
  approved_type: z
    .enum(orderTypes)
    .optional()
    .describe('the type that you approved, if the order was sent as another type with the approved bound as its limit'),
  status: z.enum(orderStatuses),
  filled_qty: z.string(),
  filled_avg_price: z.string().nullable(),
});

export const doctorFindingSchema = z.object({
  check: z.string(),
  status: z.enum(['ok', 'warn', 'fail', 'skip']),
  message: z.string(),
  fix: z.string().optional().describe('how to fix the problem; every warn and fail has a fix'),
  details: z.record(z.string(), z.unknown()).optional(),
});
