import type { PolicyView } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';

/** The rules that the account's orders are held to, and what they have counted. @throws {TradeAgentError} `login_required` */
export async function showPolicy(app: Pick<App, 'gateway'>): Promise<PolicyView> {
  return await (await app.gateway()).policy();
}
