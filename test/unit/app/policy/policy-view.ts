import type { PolicyView } from '../../../../src/trading/policy-views.ts';

/** Rules as a gateway tells of them. */
export const policyView: PolicyView = {
  account: 'PA3ALICE01',
  environment: 'paper',
  digest: 'A'.repeat(43),
  trading: { state: 'active' },
  limits: { max_order_notional: '1000', max_day_orders: 20 },
  today: { day_notional: '250', day_orders: 1, last_minute: 0, open_orders: 0 },
  policies: {},
  firm: {},
};
