import type { Account, Position } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** @throws {TradeAgentError} `login_required` */
export async function readPortfolio(
  app: App,
): Promise<{ readonly account: Account; readonly positions: readonly Position[] }> {
  const gateway = await app.gateway();
  const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
  return { account, positions };
}
