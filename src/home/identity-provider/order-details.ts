import type { z } from 'zod';
import { isTradeAgentError } from '../../errors/errors.ts';
import { isWellFormed } from '../../net/well-formed-json.ts';
import {
  differingFields,
  TRADE_ORDER_TYPE,
  type TradeOrderDetails,
  tradeOrderDetails,
  tradeOrderDetailsSchema,
} from '../../trading/approval-details.ts';
import { type OrderDraft, orderDraftSchema } from '../../trading/order.ts';

/** Why authorization details can't be put before a person. */
export class UnacceptableDetails extends Error {
  override name = 'UnacceptableDetails';
}

/**
 * The one order a CIBA request asks for (RFC 9396 §2). Every field is checked and the digest recomputed here, so
 * that what the phone shows is what the digest, and with it the code on the terminal, stands for.
 * @param text the `authorization_details` parameter
 * @param target the gateway's resource identifier, and now in milliseconds since the epoch
 * @throws {UnacceptableDetails}
 */
export function readOrderDetails(
  text: unknown,
  target: { resource: string; now: number },
): TradeOrderDetails {
  const detail = onlyObject(text);
  if (detail.type !== TRADE_ORDER_TYPE) {
    throw new UnacceptableDetails(`the type must be ${TRADE_ORDER_TYPE}`);
  }
  const parsed = tradeOrderDetailsSchema.safeParse(detail);
  if (!parsed.success) {
    throw new UnacceptableDetails(`not a complete order: ${wrongFields(parsed.error)}`);
  }
  const draft = draftOf(parsed.data);
  const differing = differingFields(detail, recompute(draft, target.resource));
  if (differing.length > 0) {
    throw new UnacceptableDetails(
      `these fields are not what the order and the gateway demand: ${differing.join(', ')}`,
    );
  }
  if (Date.parse(parsed.data.expires_at) <= target.now) {
    throw new UnacceptableDetails('expires_at has passed');
  }
  return parsed.data;
}

/** The fields that don't fit, or that nobody knows. */
export function wrongFields({ issues }: z.ZodError): string {
  const fields = issues.map(({ path, code, ...issue }) =>
    code === 'unrecognized_keys' && 'keys' in issue ? String(issue.keys) : path.join('.'),
  );
  return [...new Set(fields)].join(', ');
}

/** The order inside the details. */
export function draftOf(details: TradeOrderDetails): OrderDraft {
  const {
    type: _,
    order_type,
    locations: __,
    actions: ___,
    identifier: ____,
    digest: _____,
    ...rest
  } = details;
  return orderDraftSchema.parse({ ...rest, type: order_type });
}

function recompute(draft: Parameters<typeof tradeOrderDetails>[0], gateway: string): Record<string, unknown> {
  try {
    return tradeOrderDetails(draft, { gateway });
  } catch (error) {
    if (isTradeAgentError(error)) throw new UnacceptableDetails(error.message);
    throw error;
  }
}

/** The one object of `authorization_details`. @throws {UnacceptableDetails} */
export function onlyObject(text: unknown): Record<string, unknown> {
  let value: unknown;
  try {
    value = typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || value.length !== 1 || typeof value[0] !== 'object' || value[0] === null) {
    throw new UnacceptableDetails('authorization_details must hold exactly one object');
  }
  if (!isWellFormed(value)) {
    throw new UnacceptableDetails('authorization_details has half of a surrogate pair, which is no text');
  }
  return value[0];
}
