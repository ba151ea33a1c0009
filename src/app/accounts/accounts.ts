import { accountCalled } from '../../tools/gateway/account-requests.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import type { App } from '../app.ts';

/** The person's accounts, in the order of the gateway's settings. @throws {TradeAgentError} `login_required` */
export async function listAccounts(app: Pick<App, 'accounts'>): Promise<AccountEntry[]> {
  return await app.accounts();
}

/**
 * Makes an account the one that is meant where none is named.
 * @param name its number, its broker's name, or what its owner calls it
 * @throws {TradeAgentError} `usage` where there is none that is called so; `gateway_refused`, `login_required`
 */
export async function chooseDefaultAccount(app: Pick<App, 'gateway'>, name: string): Promise<AccountEntry[]> {
  const gateway = await app.gateway();
  return await gateway.chooseAccount(accountCalled(name, await gateway.accounts()).account);
}
