import type { User } from '../../auth/session/session.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { App } from '../app.ts';

/** Who is signed in, and how their account stands. */
export interface AccountGlance {
  readonly user: User;
  /** What the account is worth, dollars; undefined where the gateway did not say. */
  readonly equity: string | undefined;
  /** How far trading goes; undefined where the gateway did not say. */
  readonly trading: TradingState | undefined;
}

/** Undefined where nobody is signed in. */
export async function accountGlance(app: App): Promise<AccountGlance | undefined> {
  const session = await app.session();
  if (session === undefined) return undefined;
  const gateway = await app.gateway();
  const [account, halt] = await Promise.all([
    gateway.account().catch(() => undefined),
    gateway.halted().catch(() => undefined),
  ]);
  return { user: session.user, equity: account?.equity, trading: halt?.state };
}
