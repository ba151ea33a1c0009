import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { loadPriceHistory } from '../../../app/market.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

const MARGIN_ROWS = 7;
const MAX_ROWS = 30;
const DEFAULT_ROWS = 16;

interface ChartFlags {
  readonly candles?: boolean;
  readonly volume?: boolean;
}

export function addChartCommand(program: CliCommand): void {
  program
    .command('chart')
    .summary('show a price chart')
    .description('Show a price chart as wide as the terminal, with your own trades and the cost of your shares.')
    .argument('<symbol>', 'such as AAPL or BRK.B')
    .argument('[range]', 'how far back: 5d, 2w, 3m, 1y', '3m')
    .option('--candles', 'show candles: hollow if the price rose, filled if it fell')
    .option('--volume', 'show the trading volume below')
    .examples(
      ['trade-agent chart AAPL', 'three months as a line'],
      ['trade-agent chart AAPL 1y --candles --volume', 'a year in candles'],
      ['trade-agent chart AAPL --output json | jq -r ".bars[].close"', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(chart);
}

async function chart(context: Context, symbol: string, range: string, flags: ChartFlags): Promise<void> {
  const { io, output } = context;
  const history = await loadPriceHistory(context, symbol.toUpperCase(), range);
  await output.result('chart', { ...history }, async () => {
    const { chartText } = await import('../../text/chart.ts');
    const rows = io.stdout.rows === undefined ? DEFAULT_ROWS : io.stdout.rows - MARGIN_ROWS;
    return chartText({
      ...history,
      ...flags,
      columns: io.width(),
      rows: Math.max(4, Math.min(MAX_ROWS, rows)),
      unicode: io.unicode,
      paint: await context.paint(),
    });
  });
}
