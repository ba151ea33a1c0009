import { defined } from '../../values/defined.ts';
import type { FigureIntent, Intent } from '../reader/intent.ts';
import type { PlannerStep } from './lookup-step.ts';

/** Returns the calls whose results make one figure. The last call's answer contains the figure. */
export function figureSteps({ account: _, ...intent }: FigureIntent & Pick<Intent, 'account'>): PlannerStep[] {
  const { symbol, days, period } = intent;
  const portfolio = { name: 'get_portfolio', args: {} };
  const quote = { name: 'get_quote', args: { symbols: [symbol] } };
  const ordersIn = (status: string) => ({ name: 'list_orders', args: defined({ status, symbol, limit: 500 }) });
  const steps: Readonly<Record<FigureIntent['figure'], readonly PlannerStep[]>> = {
    free_cash: [portfolio, ordersIn('open')],
    cash_after: [portfolio, ordersIn('open')],
    affordable: [portfolio, quote],
    trade: [portfolio, quote],
    raise: [portfolio, quote],
    progress: [quote, ordersIn('all')],
    extremes: [{ name: 'get_bars', args: { symbol, days } }],
    gain: [{ name: 'get_performance', args: defined({ period, by_position: true }) }],
    margin: [portfolio],
    rejected: [{ name: 'list_orders', args: defined({ status: 'closed', symbol }) }],
  };
  const calls = steps[intent.figure];
  return calls.map((step, at) => ({
    ...step,
    view: at < calls.length - 1 ? { isPart: true } : { computed: intent },
  }));
}
