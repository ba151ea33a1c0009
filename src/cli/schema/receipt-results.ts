import { z } from 'zod';
import { receiptEntrySchema, receiptSchema } from '../../trading/receipt.ts';

/** What `receipts` prints. */
export const receiptResults = {
  receipts: z.object({ receipts: z.array(receiptEntrySchema) }),
  receipt: z.object({
    ok: z.boolean().describe('whether it holds'),
    receipt: receiptSchema.optional(),
    key: z.string().optional().describe('thumbprint of the gateway’s key (RFC 7638)'),
    phone_keys: z
      .array(z.object({ sub: z.string(), fingerprint: z.string() }))
      .optional()
      .describe('base64url(SHA-256) of the public keys that signed'),
    fault: z.string().optional().describe('what of it does not hold'),
    text: z.string().optional(),
    from: z.string().optional().describe('"pinned", or the address that the gateway’s key is from'),
  }),
  'receipt-file': z.object({
    id: z.string(),
    file: z.string(),
    key: z.string().describe('thumbprint of the gateway’s key (RFC 7638)'),
  }),
};
