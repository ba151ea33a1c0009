import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { defined } from '../values/defined.ts';
import { order } from './kinds/order.ts';
import { checkOrder, describeOrder, normalizeOrder, type OrderDraft, orderDraftSchema } from './order.ts';

export const TRADE_ORDER_DETAILS_TYPE = order.detailsType;

/** Four Crockford base-32 characters (20 bits), shown on both the terminal and the phone. */
export const approvalCodeSchema = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{4}$/);

/**
 * RFC 9396 authorization details for one order at one gateway. `digest` is the digest of the order's canonical form,
 * `identifier` is its client_order_id, and `code` is the random code with which the identity provider completes the
 * details. If the client chose the code, it could show the code of another request.
 */
export const tradeOrderDetailsSchema = z.lazy(() =>
  orderDraftSchema.unwrap().extend({
    type: z.string().min(1),
    order_type: orderDraftSchema.unwrap().shape.type,
    locations: z.array(z.string()).length(1),
    actions: z.tuple([z.literal('place')]),
    identifier: z.string(),
    digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    code: approvalCodeSchema.optional(),
  }),
);
export type TradeOrderDetails = z.output<typeof tradeOrderDetailsSchema>;

/** Returns the order's canonical JSON (RFC 8785), from which the client and the gateway each compute the digest. */
export function toCanonicalJson(draft: OrderDraft): string {
  const parsed = orderDraftSchema.parse(draft);
  checkOrder(parsed);
  const text = canonicalize(normalizeOrder(parsed));
  if (text === undefined) throw new TypeError('an order has no canonical form');
  return text;
}

export function orderDigest(draft: OrderDraft): string {
  return createHash('sha256').update(toCanonicalJson(draft)).digest('base64url');
}

const CROCKFORD_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Returns the code for a digest. The digest must cover a random value; otherwise, an author could vary the digested
 * text until its code equals the code of another request.
 */
export function approvalCode(digest: string): string {
  const bytes = Buffer.from(digest, 'base64url');
  let bits = bytes.readUIntBE(0, 3);
  let code = '';
  for (let i = 0; i < 4; i++) {
    code += CROCKFORD_ALPHABET[(bits >>> 19) & 31];
    bits = (bits << 5) & 0xffffff;
  }
  return code;
}

/** The gateway at which the details are valid, their type, and the code, if the identity provider chose one. */
export interface DetailsTarget {
  readonly gateway: string;
  readonly type?: string;
  readonly code?: string | undefined;
}

/** Builds an order's authorization details. RFC 9396 reserves `type`, so the order's type becomes `order_type`. */
export function buildTradeOrderDetails(draft: OrderDraft, target: DetailsTarget): TradeOrderDetails {
  const normalized = normalizeOrder(draft);
  return {
    ...normalized,
    type: target.type ?? TRADE_ORDER_DETAILS_TYPE,
    order_type: normalized.type,
    locations: [target.gateway],
    actions: ['place'],
    identifier: normalized.client_order_id,
    digest: orderDigest(normalized),
    ...defined({ code: target.code }),
  } as TradeOrderDetails;
}

/** Returns the names of fields that only one of the objects has or whose canonical JSON differs. */
export function differingFields(approved: Record<string, unknown>, demanded: Record<string, unknown>): string[] {
  const fields = new Set([...Object.keys(approved), ...Object.keys(demanded)]);
  return [...fields].filter((field) => canonicalize(approved[field]) !== canonicalize(demanded[field])).sort();
}

/** Returns the CIBA `binding_message`: at most 64 characters of `[A-Za-z0-9 +-_.,:#]`, ending with the code. */
export function buildBindingMessage(description: string, code: string): string {
  return `${bindingText(description)} ${code}`;
}

/** Returns the part of a binding message before the code: at most 59 characters, which leaves room for a space and the code. */
export function bindingText(description: string): string {
  return description.replace(/[^A-Za-z0-9 +\-_.,:#]/g, '.').slice(0, 59);
}

export function orderBindingText(draft: OrderDraft): string {
  return bindingText(describeOrder(normalizeOrder(draft)));
}
