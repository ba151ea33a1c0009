import type { OrderApp } from '../../../../src/app/orders/orders.ts';
import { TradeAgentError } from '../../../../src/errors/errors.ts';
import type { GatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';
import type { AccountEntry } from '../../../../src/trading/account-entry.ts';

export const entry = (account: string | null, label: string, isDefault = false): AccountEntry => ({
  ...{ account, broker: label.toLowerCase(), label, environment: 'paper', default: isDefault },
  ...(account === null ? { problem: 'broker_unavailable' } : {}),
});

export const notFound = () => new TradeAgentError('not_found', 'no such order');

/** An app whose gateway answers in each account by itself. @param meant the account that was named */
export function appWith(
  entries: readonly AccountEntry[],
  inAccount: (account: string) => Partial<GatewayClient>,
  { meant, isAllAccounts = false }: { readonly meant?: string; readonly isAllAccounts?: boolean } = {},
): OrderApp {
  const byDefault = meant ?? entries.find((one) => one.default)?.account ?? '';
  const app: OrderApp = {
    isAllAccounts,
    accounts: async () => [...entries],
    account: async () => meant,
    gateway: async () => inAccount(byDefault) as GatewayClient,
    inAccount: (account) => ({ ...app, gateway: async () => inAccount(account ?? byDefault) }) as never,
  };
  return app;
}
