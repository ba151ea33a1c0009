import type { RecordedDecision } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';

/** What was decided about the user's orders, newest first. @throws {TradeAgentError} `login_required` */
export async function policyLog(
  app: Pick<App, 'gateway'>,
  query: { readonly denied: boolean; readonly limit: number },
): Promise<readonly RecordedDecision[]> {
  const { denied, limit } = query;
  return await (await app.gateway()).decisions({ limit, ...(denied ? { effect: 'deny' as const } : {}) });
}
