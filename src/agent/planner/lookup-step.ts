import { WEEKDAYS } from '../../trading/new-york-time.ts';
import { defined } from '../../values/defined.ts';
import type {
  ActivityFilter,
  FigureIntent,
  Intent,
  PerformanceFigure,
  PortfolioRanking,
  PortfolioView,
} from '../reader/intent.ts';

/** Selects the part of a result to report. */
export interface ResultView {
  /** Whether the result is only used by the computed answer that follows. */
  readonly isPart?: true;
  readonly computed?: FigureIntent;
  /** Whether to report when each order was placed. */
  readonly dated?: true;
  readonly view?: PortfolioView;
  readonly ranking?: PortfolioRanking;
  readonly symbol?: string;
  readonly figure?: PerformanceFigure;
  readonly only?: ActivityFilter;
  readonly onlyWashSales?: true;
  readonly day?: string;
  /** Number of shares whose cost to report. */
  readonly qty?: string;
}

/** A tool call, with the part of its result to report. If there is no view, the whole result is reported. */
export interface PlannerStep {
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly view?: ResultView;
}

/** A question that one call of a tool answers. */
type Question = Extract<
  Intent,
  {
    readonly kind:
      | 'whoami'
      | 'portfolio'
      | 'quote'
      | 'chart'
      | 'clock'
      | 'orders'
      | 'alerts'
      | 'calendar'
      | 'dividend_dates'
      | 'news'
      | 'activities'
      | 'performance'
      | 'gains'
      | 'risk'
      | 'lots'
      | 'wash'
      | 'findings'
      | 'rules'
      | 'watchlist';
  }
>;

/** Returns the call that answers a question. */
export function lookupStep(intent: Question): PlannerStep {
  switch (intent.kind) {
    case 'whoami':
      return { name: 'whoami', args: {} };
    case 'portfolio':
      return {
        name: 'get_portfolio',
        args: {},
        view: defined({ view: intent.view, ranking: intent.ranking, symbol: intent.symbol }),
      };
    case 'quote':
      return { name: 'get_quote', args: { symbols: [...new Set(intent.symbols)] }, view: defined({ qty: intent.qty }) };
    case 'chart':
      return { name: 'get_bars', args: { symbol: intent.symbol, days: intent.days } };
    case 'clock':
      return { name: 'get_market_clock', args: {} };
    case 'orders':
      return {
        name: 'list_orders',
        args: defined({ status: intent.status, symbol: intent.symbol }),
        view: defined({ dated: intent.dated }),
      };
    case 'alerts':
      return { name: 'list_alerts', args: {} };
    case 'calendar':
      return {
        name: 'get_calendar',
        args: { days: intent.day === 'tomorrow' || WEEKDAYS.includes(intent.day) ? 14 : 366 },
        view: { day: intent.day },
      };
    case 'dividend_dates':
      return { name: 'get_corporate_actions', args: { symbols: intent.symbols, days_back: 120, days_ahead: 120 } };
    case 'news':
      return { name: 'get_news', args: { symbols: intent.symbols, limit: 5 } };
    case 'activities':
      return {
        name: 'get_activities',
        args: defined({ period: intent.period, kinds: intent.kinds }),
        view: defined({ only: intent.only }),
      };
    case 'performance': {
      const { period, benchmark, figure } = intent;
      const by_position = figure === 'best' || figure === 'worst' ? true : undefined;
      const args = defined({ period, benchmark, by_position });
      return { name: 'get_performance', args, view: defined({ figure }) };
    }
    case 'gains':
      return {
        name: 'get_realized_gains',
        args: defined({ year: intent.year }),
        view: defined({ symbol: intent.symbol, onlyWashSales: intent.onlyWashSales }),
      };
    case 'risk':
      return { name: 'get_risk', args: {} };
    case 'lots':
      return { name: 'get_tax_lots', args: defined({ symbol: intent.symbol }) };
    case 'wash':
      return { name: 'check_wash_sale', args: defined({ symbol: intent.symbol, qty: intent.qty }) };
    case 'findings':
      return { name: 'get_findings', args: {} };
    case 'rules':
      return { name: 'check_rules', args: { ...intent.request } };
    case 'watchlist':
      return { name: 'get_watchlist', args: {} };
  }
}
