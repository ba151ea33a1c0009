import type { PolicyReason } from '../../../trading/policy-reasons.ts';

/**
 * The reasons that an owner's or a firm's rule can give by `@code`; without one it is `POLICY_FORBIDS`. Words of the
 * published vocabulary that a rule can truly be about: none that says something of the broker, a mandate's own bounds,
 * or the rules themselves. `LIVE_NEEDS_TAP` and `APPROVAL_NEEDS_SECOND` ask for more approval than there is; every other
 * one refuses.
 */
export const ruleCodes = [
  'POLICY_FORBIDS',
  'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
  'NOTIONAL_EXCEEDS_MAX_PER_DAY',
  'QUANTITY_EXCEEDS_MAX_PER_ORDER',
  'ORDERS_EXCEED_MAX_PER_DAY',
  'ORDERS_EXCEED_MAX_OPEN',
  'RATE_EXCEEDS_MAX_PER_MINUTE',
  'ORDER_DUPLICATES_RECENT',
  'ORDER_OPPOSES_OPEN',
  'SYMBOL_NOT_ALLOWED',
  'SYMBOL_DENIED',
  'SYMBOL_RESTRICTED',
  'SIDE_NOT_ALLOWED',
  'TYPE_NOT_ALLOWED',
  'HOURS_OUTSIDE_WINDOW',
  'PRICE_DEVIATES_FROM_QUOTE',
  'POSITION_EXCEEDS_MAX_WEIGHT',
  'LOSS_EXCEEDS_MAX_PER_DAY',
  'APPROVAL_NEEDS_SECOND',
  'LIVE_NEEDS_TAP',
] as const satisfies readonly PolicyReason[];

export type RuleCode = (typeof ruleCodes)[number];
