import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { nextTurn } from '../../../src/agent/planner/planner.ts';
import { searchAssets } from '../../../src/trading/asset-name.ts';
import listed from '../../../src/trading/listed-stocks.json' with { type: 'json' };
import { anAccount, anOrder, aPosition, aQuote } from '../../fixtures/builders.ts';

type Args = Record<string, unknown>;
export type Turn =
  | { readonly calls: readonly { readonly name: string; readonly args: Args }[] }
  | { readonly refusal: { readonly message: string; readonly offer?: string } }
  | { readonly text: string };
export type Planner = (messages: readonly BaseMessage[]) => Turn;

/** What the planner did with a sentence: its acts in one canonical form, the reads on the way, and its last answer. */
export interface Reading {
  readonly acts: readonly string[];
  readonly reads: readonly string[];
  readonly answer: 'question' | 'refusal' | 'text' | 'none';
}

export type Verdict = 'understood' | 'asked' | 'not understood' | 'misread';

const funds = {
  VOO: 'Vanguard S&P 500 ETF',
  SPY: 'SPDR S&P 500 ETF Trust',
  QQQ: 'Invesco QQQ Trust',
  VTI: 'Vanguard Total Stock Market ETF',
  SCHD: 'Schwab US Dividend Equity ETF',
  GLD: 'SPDR Gold Shares',
  'BTC/USD': 'Bitcoin',
  'ETH/USD': 'Ethereum',
};
const assets = [
  ...listed.stocks.map(([symbol = '', name = '']) => ({ symbol, name })),
  ...Object.entries(funds).map(([symbol, name]) => ({ symbol, name })),
];
export const held: Readonly<Record<string, string>> = { AAPL: '10', MSFT: '12', NVDA: '20', KO: '40', TSLA: '30' };
const prices: Readonly<Record<string, string>> = { AAPL: '230', MSFT: '420', NVDA: '140', KO: '60', TSLA: '350' };
const priceOf = (symbol: string) => prices[symbol] ?? '100';
const openOrders = ['AAPL', 'MSFT'].map((symbol, at) =>
  anOrder({ id: `61e69015-8549-4bfd-b9c3-01e75843f47${at}`, symbol, qty: '10', type: 'limit', limit_price: '145' }),
);

function contentOf(name: string, args: Args): unknown {
  switch (name) {
    case 'search_symbols':
      return {
        results: (args.queries as string[]).map((query) => ({ query, assets: searchAssets(assets, query, 10) })),
      };
    case 'get_portfolio':
      return {
        positions: Object.entries(held).map(([symbol, qty]) => {
          const market_value = String(Number(qty) * Number(priceOf(symbol)));
          return aPosition({ symbol, qty, qty_available: qty, current_price: priceOf(symbol), market_value });
        }),
        account: anAccount({ cash: '10000', buying_power: '10000', equity: '30000' }),
      };
    case 'list_orders':
      return { status: args.status, state: args.status, total: openOrders.length, orders: openOrders };
    case 'get_quote':
      return {
        quotes: (args.symbols as string[]).map((symbol) => {
          const last = priceOf(symbol);
          return aQuote({ symbol, bid: last, ask: last, last, previous_close: last });
        }),
      };
    default:
      return undefined;
  }
}

const number = (value: unknown) => String(Math.round(Number(value) * 1e6) / 1e6);

/** `buy 5 AAPL limit 180 gtc`: what the order does, without what goes without saying. */
function orderWords(args: Args): string {
  const { symbol, side, qty, notional, limit_price, stop_price, trail_percent, trail_price, time_in_force, ...rest } =
    args;
  const { type: _type, client_order_id: _id, every, ...more } = rest;
  const isResting = stop_price !== undefined || trail_percent !== undefined || String(symbol).includes('/');
  const isUsual = time_in_force === undefined || time_in_force === 'day' || (isResting && time_in_force === 'gtc');
  return [
    every === undefined ? undefined : `every ${every}`,
    side,
    notional === undefined ? number(qty) : `$${number(notional)}`,
    symbol,
    limit_price === undefined ? undefined : `limit ${number(limit_price)}`,
    stop_price === undefined ? undefined : `stop ${number(stop_price)}`,
    trail_percent === undefined ? undefined : `trail ${number(trail_percent)}%`,
    trail_price === undefined ? undefined : `trail $${number(trail_price)}`,
    isUsual ? undefined : time_in_force,
    ...Object.entries(more).map(([field, value]) => `${field}=${JSON.stringify(value)}`),
  ]
    .filter((word) => word !== undefined)
    .join(' ');
}

/** A call that only reads is no act; a tool that is not known to read is one. */
function actsOf({ name, args }: { readonly name: string; readonly args: Args }): readonly string[] {
  if (/^(get|list|search|check|suggest|find|is)_|^whoami$/.test(name)) return [];
  if (name === 'place_order' || name === 'place_standing_order') return [orderWords(args)];
  if (name === 'place_orders') return (args.orders as Args[]).map(orderWords);
  if (name === 'close_position') {
    const { fraction, qty, ...rest } = args;
    const all = Number(held[String(args.symbol)] ?? 0);
    return [orderWords({ ...rest, side: 'sell', qty: qty ?? all * Number(fraction ?? 1) })];
  }
  if (name === 'cancel_order') {
    return [`cancel ${openOrders.find(({ id }) => id === args.order_id)?.symbol ?? args.order_id}`];
  }
  return [`${name} ${JSON.stringify(args)}`];
}

const withoutQuotes = (text: string) => text.replace(/"[^"]*"|“[^”]*”|«[^»]*»/g, '');

/** Lookups are answered from a small account until the planner acts, asks or answers. */
export function readSentence(said: string, planner: Planner = nextTurn): Reading {
  const messages: BaseMessage[] = [new HumanMessage(said)];
  const reads: string[] = [];
  for (let wave = 0; wave < 6; wave += 1) {
    const turn = planner(messages);
    if ('refusal' in turn) {
      const isQuestion = turn.refusal.offer !== undefined || /[?？]/.test(withoutQuotes(turn.refusal.message));
      return { acts: [], reads, answer: isQuestion ? 'question' : 'refusal' };
    }
    if ('text' in turn) return { acts: [], reads, answer: 'text' };
    const acts = turn.calls.flatMap(actsOf);
    reads.push(...turn.calls.filter((call) => actsOf(call).length === 0).map(({ name }) => name));
    const contents = turn.calls.map(({ name, args }) => contentOf(name, args));
    if (acts.length > 0 || contents.includes(undefined)) return { acts, reads, answer: 'none' };
    const tool_calls = turn.calls.map(({ name, args }, at) => ({ id: `call_${wave}_${at}`, name, args }));
    messages.push(new AIMessage({ content: '', tool_calls }));
    for (const [at, { id, name }] of tool_calls.entries()) {
      messages.push(new ToolMessage({ tool_call_id: id, name, content: JSON.stringify(contents[at]) }));
    }
  }
  return { acts: [], reads, answer: 'none' };
}

/**
 * @param expected acts in their canonical form, joined by " + "; `read TOOL …` for one of these; `ask` for a question;
 * `none` for anything but an act
 */
export function judge(expected: string, { acts, reads, answer }: Reading): Verdict {
  const isAct = !/^(read\b|ask$|none$)/.test(expected);
  if (acts.length > 0) {
    const wanted = isAct ? expected.split(' + ').toSorted() : [];
    return wanted.join(' + ') === acts.toSorted().join(' + ') ? 'understood' : 'misread';
  }
  if (expected === 'none') return 'asked';
  if (answer === 'question') return 'asked';
  return expected.startsWith('read ') && reads.some((name) => expected.split(' ').includes(name))
    ? 'understood'
    : 'not understood';
}

const shape = /^(?<every>every \S+ )?(?<side>\S+) (?<unit>\$?)(?<amount>[\d.]+) (?<symbol>\S+)(?<terms>.*)$/;

/** Whether acts do more than the original ones: another act or asset, a larger amount, or without its price or term. */
export function isLarger(acts: readonly string[], original: readonly string[]): boolean {
  const known = original.map((act) => shape.exec(act)?.groups);
  return acts.some((act) => {
    if (original.includes(act)) return false;
    const one = shape.exec(act)?.groups;
    if (one === undefined) return true;
    return !known.some(
      (other) =>
        other !== undefined &&
        one.side === other.side &&
        one.unit === other.unit &&
        one.symbol === other.symbol &&
        [one.terms, `${one.terms} gtc`].includes(other.terms ?? '') &&
        (one.every === undefined || one.every === other.every) &&
        Number(one.amount) <= Number(other.amount),
    );
  });
}
