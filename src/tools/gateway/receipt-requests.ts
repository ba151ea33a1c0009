import { z } from 'zod';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { type ReceiptEntry, receiptEntrySchema } from '../../trading/receipt.ts';
import type { GatewayRequests } from './gateway-requests.ts';

const [, , ORDERS_READ] = READ_SCOPES;

const listSchema = z.lazy(() => z.object({ receipts: z.array(receiptEntrySchema) }));

/** The receipts of what the gateway carried out for the user. */
export interface ReceiptRequests {
  /** Newest first. */
  receipts(limit: number): Promise<ReceiptEntry[]>;
  /**
   * One, as JSON: whether it is a receipt is for who reads it to look at.
   * @param id a proposal's, or an order's `client_order_id`
   * @throws {TradeAgentError} `not_found`
   */
  receipt(id: string): Promise<unknown>;
}

export function ofReceipts({ read, request }: GatewayRequests): ReceiptRequests {
  return {
    receipts: async (limit) => (await read(`/v1/receipts?limit=${limit}`, listSchema, ORDERS_READ)).receipts,
    receipt: (id) => request(`/v1/receipts/${encodeURIComponent(id)}`, {}, [ORDERS_READ]),
  };
}
