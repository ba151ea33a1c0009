import type { Clock } from '../../../machine/clock.ts';
import { formatDollarAmount, formatShares } from '../../../trading/amounts.ts';
import { signedQty, ZERO } from '../../../trading/decimal.ts';
import type { Account, Position } from '../../../trading/views.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import { requestView } from './request-view.ts';
import { type AccountAfterFill, filledQuantity } from './result-panel.ts';

interface AccountReads {
  account(): Promise<Account>;
  positions(): Promise<readonly Position[]>;
}

/** Milliseconds after a fill during which the account is read. Later, other orders may have changed the account. */
const MAX_AGE_MS = 2 * 60_000;
/** Time in milliseconds that a page waits for the broker. A later response appears at the page's next update. */
const MAX_WAIT_MS = 300;
const MAX_KEPT = 200;

/**
 * Reads accounts after fills. Each account is read once per fill, soon after the fill, because later orders change the
 * account. If the account can't be read, nothing is shown.
 */
export function readAccountsAfterFills(
  readsOf: (user: string, account: string) => AccountReads,
  clock: Pick<Clock, 'now' | 'sleep'>,
): (request: ApprovalRequest) => Promise<AccountAfterFill | undefined> {
  const kept = new Map<string, Promise<AccountAfterFill | undefined>>();
  return async (request) => {
    const { id, user, outcome } = request;
    const trade = filledTrade(request);
    if (outcome === undefined || trade === undefined) return undefined;
    const known = kept.get(id);
    if (known === undefined && clock.now() - outcome.at > MAX_AGE_MS) return undefined;
    const after = known ?? readAccount(() => readsOf(user, trade.account), trade);
    if (known === undefined) {
      const [oldest] = kept.keys();
      if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
      kept.set(id, after);
    }
    const late = new AbortController();
    const soon = clock.sleep(MAX_WAIT_MS, late.signal).catch(() => undefined);
    const first = await Promise.race([after, soon]);
    late.abort();
    return first ?? undefined;
  };
}

type FilledTrade = NonNullable<ReturnType<typeof filledTrade>>;

/** Returns an order's trade. Undefined for other requests, and for an order that may still fill further. */
function filledTrade(request: ApprovalRequest) {
  const { account, symbol, side } = requestView(request);
  const filled = request.outcome?.state === 'executed' ? filledQuantity(request.outcome.text) : undefined;
  if (account === undefined || symbol === undefined || side === undefined || filled === undefined) return undefined;
  return { account, symbol, change: side === 'buy' ? filled : filled.neg() };
}

async function readAccount(
  open: () => AccountReads,
  { symbol, change }: FilledTrade,
): Promise<AccountAfterFill | undefined> {
  try {
    const reads = open();
    const [{ cash }, positions] = await Promise.all([reads.account(), reads.positions()]);
    const position = positions.find((one) => one.symbol === symbol);
    const after = position === undefined ? ZERO : signedQty(position);
    return {
      position: `${formatShares(after.minus(change).toFixed())} ${symbol} before, ${formatShares(after.toFixed())} after`,
      cash: `${formatDollarAmount(cash)} after`,
    };
  } catch {
    // A problem at the broker does not matter, because the outcome itself is known and shown.
    return undefined;
  }
}
