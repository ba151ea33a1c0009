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

/** How long after its outcome a fill is still read. Later, other orders may have changed the account. */
const MAX_AGE_MS = 2 * 60_000;
/** How long a page waits for the broker. A later answer arrives with the page's next update. */
const MAX_WAIT_MS = 300;
const MAX_KEPT = 200;

/**
 * Reads accounts after fills. Each account is read once for each fill, soon after it, because the account changes with
 * later orders. If it can't be read, nothing is shown.
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

/** Returns what an order traded. Undefined for other requests, and while more may fill. */
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
    // Whatever the broker's problem is, the outcome itself is known and shown.
    return undefined;
  }
}
