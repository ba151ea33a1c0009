import { approvalView } from '../../agent/graph/proposal-view.ts';
import { type LiveFigures, liveFigures } from '../../app/portfolio/live-figures.ts';
import { portfolioView } from '../../trading/portfolio/portfolio-view.ts';
import type { Context } from '../context.ts';
import { approvalOutcome } from '../text/approval-lines.ts';
import { asOfLine } from '../text/as-of.ts';
import { localTime } from '../text/local-time.ts';
import { portfolioTable } from '../text/portfolio-table.ts';
import { watchScreen } from './watch-screen.ts';

/** Of what happened, so many lines stand below the table. */
const MOST_EVENTS = 5;
const MOST_LINES = 20;

/** The portfolio, live: prices as they move, fills as they come. */
export async function watchPortfolio(context: Context): Promise<void> {
  const { io, clock } = context;
  const paint = await context.paint();
  let live: LiveFigures | undefined;
  const events = new Map<string, string>();
  const follow = (parts: { readonly signal: AbortSignal; readonly changed: () => void }) =>
    liveFigures(context, {
      signal: parts.signal,
      lines: MOST_LINES,
      changed: (figures) => {
        live = figures;
        parts.changed();
      },
      told: (proposal) => {
        const time = localTime(proposal.updated_at, { seconds: true }).slice(11);
        // One line a proposal: what it came to, not each step there.
        events.delete(proposal.id);
        events.set(proposal.id, `${time}  ${approvalOutcome(approvalView(proposal, ''))}`);
        if (events.size > MOST_EVENTS) events.delete(events.keys().next().value ?? '');
        parts.changed();
      },
    });
  const draw = async () => {
    if (live === undefined) return [];
    const { account, positions, history } = live;
    const view = portfolioView(account, positions, history);
    const rows = io.stdout.rows ?? 24;
    const table = (await portfolioTable(view, { columns: io.width(), unicode: io.unicode, paint })).split(
      '\n',
    );
    const told = [...events.values()];
    const below = [
      ...(told.length === 0 ? [] : ['', ...told]),
      '',
      asOfLine(live, { now: clock.now(), paint, simulated: view.simulated }),
    ];
    return [...cut(table, rows - below.length), ...below];
  };
  await watchScreen(context, follow, draw);
}

/** The table in so many rows: its smallest positions go first, and it says how many. The total stays. */
function cut(table: readonly string[], rows: number): readonly string[] {
  if (table.length <= rows) return table;
  const gone = table.length - rows + 1;
  return [...table.slice(0, rows - 2), `and ${gone} more`, ...table.slice(-1)];
}
