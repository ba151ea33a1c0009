import { toApprovalView } from '../../agent/graph/proposal-view.ts';
import {
  followCombinedPortfolio,
  followPortfolio,
  type LiveCombinedPortfolio,
  type LivePortfolio,
} from '../../app/portfolio/portfolio.ts';
import { buildPortfolioView } from '../../trading/portfolio/portfolio-view.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { Context } from '../context/context.ts';
import { approvalOutcome } from '../text/approval-lines.ts';
import { formatLocalTime, livePricesLine } from '../text/as-of.ts';
import { type PortfolioScreen, portfolioTable } from '../text/portfolio-table.ts';
import { portfoliosTable } from '../text/portfolios-table.ts';
import { watchScreen } from './watch-screen.ts';

const MAX_EVENTS = 5;
const MAX_SPARKLINES = 20;

interface PortfolioSource<Live> {
  follow(parts: {
    readonly signal: AbortSignal;
    readonly changed: (live: Live) => void;
    readonly proposalChanged: (proposal: Proposal) => void;
  }): Promise<void>;
  table(live: Live, screen: PortfolioScreen): Promise<string>;
  isSimulated(live: Live): boolean;
  /** Number of lines at the end of the table, such as totals, that remain when the table is truncated. */
  readonly kept: number;
}

export async function watchPortfolio(context: Context): Promise<void> {
  if (context.isAllAccounts) await watchSource(context, allAccounts(context));
  else await watchSource(context, oneAccount(context));
}

function oneAccount(context: Context): PortfolioSource<LivePortfolio> {
  const viewOf = ({ account, positions, history }: LivePortfolio) => buildPortfolioView(account, positions, history);
  return {
    follow: (parts) => followPortfolio(context, { ...parts, lines: MAX_SPARKLINES }),
    table: (live, screen) => portfolioTable(viewOf(live), screen),
    isSimulated: (live) => viewOf(live).simulated,
    kept: 1,
  };
}

function allAccounts(context: Context): PortfolioSource<LiveCombinedPortfolio> {
  return {
    follow: (parts) => followCombinedPortfolio(context, parts),
    table: portfoliosTable,
    isSimulated: ({ accounts }) => accounts.some(({ account }) => account.simulated),
    kept: 0,
  };
}

async function watchSource<Live extends Pick<LivePortfolio, 'at' | 'stale'>>(
  context: Context,
  { follow, table, isSimulated, kept }: PortfolioSource<Live>,
): Promise<void> {
  const { io, clock } = context;
  const paint = await context.paint();
  let live: Live | undefined;
  const events = new Map<string, string>();
  const following = (parts: { readonly signal: AbortSignal; readonly changed: () => void }) =>
    follow({
      signal: parts.signal,
      changed: (figures) => {
        live = figures;
        parts.changed();
      },
      proposalChanged: (proposal) => {
        const time = formatLocalTime(proposal.updated_at, { seconds: true }).slice(11);
        // Removes the proposal's previous line, so that there is one line per proposal, with the latest change last.
        events.delete(proposal.id);
        events.set(proposal.id, `${time}  ${approvalOutcome(toApprovalView(proposal, ''))}`);
        if (events.size > MAX_EVENTS) events.delete(events.keys().next().value ?? '');
        parts.changed();
      },
    });
  const draw = async () => {
    if (live === undefined) return [];
    const rows = io.stdout.rows ?? 24;
    const lines = (await table(live, { columns: io.width(), unicode: io.unicode, paint })).split('\n');
    const told = [...events.values()];
    const below = [
      ...(told.length === 0 ? [] : ['', ...told]),
      '',
      ...(Number.isFinite(live.at)
        ? [livePricesLine(live, { now: clock.now(), paint, simulated: isSimulated(live) })]
        : []),
    ];
    return [...truncateTable(lines, rows - below.length, kept), ...below];
  };
  await watchScreen(context, following, draw);
}

/** Truncates a table that has too many rows. A line says how many positions are hidden. */
function truncateTable(table: readonly string[], rows: number, kept: number): readonly string[] {
  if (table.length <= rows) return table;
  const gone = table.length - rows + 1;
  const last = kept === 0 ? [] : table.slice(-kept);
  return [...table.slice(0, rows - 1 - kept), `and ${gone} more`, ...last];
}
