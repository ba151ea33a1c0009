import { z } from 'zod';

/** A request as the terminal phone sees it. Times are UTC, RFC 3339. */
export const phoneRequestSchema = z.object({
  id: z.string(),
  user: z.string(),
  client_name: z.string(),
  code: z.string(),
  binding_message: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  requested_at: z.string(),
  expires_at: z.string(),
  status: z.enum(['pending', 'approved', 'denied', 'expired']),
});
export type PhoneRequest = z.output<typeof phoneRequestSchema>;
