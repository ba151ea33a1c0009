import { tradeOrderDetails, tradeOrderDetailsSchema } from '../../trading/approval-details.ts';
import { checkOrder, normalizeOrder, type OrderDraft, orderDraftSchema } from '../../trading/order.ts';
import { approvedDetails, malformed, requireApproved, unsound } from '../door/approved-details.ts';
import type { Caller } from '../door/caller.ts';

export const ORDER = { scope: 'orders:write', noun: 'order' } as const;

/** An order that its owner approved, to the last field. */
export interface ApprovedOrder {
  readonly draft: OrderDraft;
  readonly digest: string;
  /** The broker's id of the order to replace. */
  readonly replaces?: string;
}

/**
 * Recomputes the order from the request and compares it with the approved details of the token.
 * @throws {Refusal} 400 `invalid_order`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 * `details_mismatch`
 */
export function approvedOrder(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): ApprovedOrder {
  const kind = { type: target.type, schema: tradeOrderDetailsSchema, ...ORDER };
  const approved = approvedDetails(caller, kind);
  const draft = parseOrder(body);
  const demanded = tradeOrderDetails(draft, target);
  requireApproved(approved, demanded, kind);
  return { draft, digest: demanded.digest };
}

function parseOrder(body: unknown): OrderDraft {
  // Orders under a mandate come only from proposals.
  const parsed = orderDraftSchema.unwrap().omit({ mandate: true, slot: true }).safeParse(body);
  if (!parsed.success) throw malformed(400, 'invalid_order', 'the order', parsed.error);
  try {
    checkOrder(parsed.data);
  } catch (error) {
    throw unsound('invalid_order', error);
  }
  return normalizeOrder(parsed.data);
}
