/*
 * What Tradier's Brokerage API takes and answers, in our words. Sources: documentation.tradier.com, "Response Examples" and
 * the reference pages named at each; their examples are in examples.ts, and are held to the same schemas.
 */

const number = { type: 'number' };
const text = { type: 'string' };
const instant = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' };
const date = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' };

/** "One or several": Tradier writes a list of one without the list. */
const listOf = (row: object) => ({ anyOf: [row, { type: 'array', items: row, minItems: 2 }] });
/** An empty list is the word "null". */
const wrapped = (outer: string, inner: string, row: object) =>
  closed({ [outer]: { anyOf: [closed({ [inner]: listOf(row) }), { enum: ['null', null] }] } });

function closed(properties: Record<string, object>, optional: Record<string, object> = {}): object {
  return {
    type: 'object',
    required: Object.keys(properties),
    properties: { ...properties, ...optional },
    additionalProperties: false,
  };
}

/** "Get an account's orders"; `tag` with `includeTags`. */
const order = closed(
  {
    id: { type: 'integer' },
    type: { enum: ['market', 'limit', 'stop', 'stop_limit', 'debit', 'credit', 'even'] },
    symbol: text,
    side: {
      enum: [
        'buy',
        'buy_to_cover',
        'sell',
        'sell_short',
        'buy_to_open',
        'buy_to_close',
        'sell_to_open',
        'sell_to_close',
      ],
    },
    quantity: number,
    status: {
      enum: [
        'open',
        'partially_filled',
        'filled',
        'expired',
        'canceled',
        'pending',
        'rejected',
        'pending_cancel',
      ],
    },
    duration: { enum: ['day', 'gtc', 'pre', 'post'] },
    avg_fill_price: number,
    exec_quantity: number,
    last_fill_price: number,
    last_fill_quantity: number,
    remaining_quantity: number,
    create_date: instant,
    transaction_date: instant,
    class: { enum: ['equity', 'option', 'multileg', 'combo'] },
  },
  {
    price: number,
    stop_price: number,
    option_symbol: text,
    num_legs: { type: 'integer' },
    strategy: text,
    leg: { type: 'array' },
    tag: { type: 'string', maxLength: 255, pattern: '^[A-Za-z0-9-]*$' },
    reason_description: text,
  },
);

/** "Place an Equity Order": what its form may have. */
const orderForm = closed(
  {
    class: { enum: ['equity'] },
    symbol: { type: 'string', pattern: '^[A-Z/]{1,10}$' },
    side: { enum: ['buy', 'buy_to_cover', 'sell', 'sell_short'] },
    quantity: { type: 'string', pattern: '^[1-9]\\d*$' },
    type: { enum: ['market', 'limit', 'stop', 'stop_limit'] },
    duration: { enum: ['day', 'gtc', 'pre', 'post'] },
  },
  {
    price: { type: 'string', pattern: '^\\d+(\\.\\d+)?$' },
    stop: { type: 'string', pattern: '^\\d+(\\.\\d+)?$' },
    tag: { type: 'string', maxLength: 255, pattern: '^[A-Za-z0-9-]+$' },
    preview: { enum: ['true', 'false'] },
  },
);

const security = {
  symbol: text,
  description: text,
  exch: text,
  type: { enum: ['stock', 'option', 'etf', 'index', 'mutual_fund'] },
};
const quote = closed({
  ...security,
  last: { type: ['number', 'null'] },
  change: { type: ['number', 'null'] },
  volume: number,
  open: { type: ['number', 'null'] },
  high: { type: ['number', 'null'] },
  low: { type: ['number', 'null'] },
  close: { type: ['number', 'null'] },
  bid: number,
  ask: number,
  change_percentage: { type: ['number', 'null'] },
  average_volume: number,
  last_volume: number,
  trade_date: { type: 'integer' },
  prevclose: { type: ['number', 'null'] },
  week_52_high: number,
  week_52_low: number,
  bidsize: number,
  bidexch: text,
  bid_date: { type: 'integer' },
  asksize: number,
  askexch: text,
  ask_date: { type: 'integer' },
  root_symbols: text,
});

const session = closed({ start: text, end: text });
const prices = { open: number, high: number, low: number, close: number, volume: { type: 'integer' } };

export const tradierSchemas: Readonly<Record<string, object>> = {
  profile: closed({
    profile: closed({
      account: listOf(
        closed({
          account_number: text,
          classification: text,
          date_created: instant,
          day_trader: { type: 'boolean' },
          option_level: { type: 'integer' },
          status: { enum: ['active', 'closed'] },
          type: { enum: ['cash', 'margin'] },
          last_update_date: instant,
        }),
      ),
      id: text,
      name: text,
    }),
  }),
  balances: closed({
    balances: closed(
      {
        option_short_value: number,
        total_equity: number,
        account_number: text,
        account_type: { enum: ['cash', 'margin', 'pdt'] },
        close_pl: number,
        current_requirement: number,
        equity: number,
        long_market_value: number,
        market_value: number,
        open_pl: number,
        option_long_value: number,
        option_requirement: number,
        pending_orders_count: { type: 'integer' },
        short_market_value: number,
        stock_long_value: number,
        total_cash: number,
        uncleared_funds: number,
        pending_cash: number,
      },
      {
        margin: closed({
          fed_call: number,
          maintenance_call: number,
          option_buying_power: number,
          stock_buying_power: number,
          stock_short_value: number,
          sweep: number,
        }),
        cash: closed({ cash_available: number, sweep: number, unsettled_funds: number }),
        pdt: closed({
          fed_call: number,
          maintenance_call: number,
          option_buying_power: number,
          stock_buying_power: number,
          stock_short_value: number,
        }),
      },
    ),
  }),
  positions: wrapped(
    'positions',
    'position',
    closed({
      cost_basis: number,
      date_acquired: instant,
      id: { type: 'integer' },
      quantity: number,
      symbol: text,
    }),
  ),
  orders: closed({
    orders: {
      anyOf: [
        closed({ order: listOf(order) }, { page: number, total_pages: number, total_orders: number }),
        { enum: ['null', null] },
      ],
    },
  }),
  order: closed({ order }),
  orderForm,
  placed: closed({
    order: closed({ id: { type: 'integer' }, status: { enum: ['ok'] } }, { partner_id: text }),
  }),
  errors: closed({ errors: closed({ error: { anyOf: [text, { type: 'array', items: text }] } }) }),
  history: wrapped('history', 'event', {
    type: 'object',
    required: ['amount', 'date', 'type'],
    properties: {
      amount: number,
      date: instant,
      type: {
        enum: [
          'trade',
          'option',
          'ach',
          'wire',
          'dividend',
          'fee',
          'tax',
          'journal',
          'check',
          'transfer',
          'adjustment',
          'interest',
        ],
      },
      trade: closed({
        commission: number,
        description: text,
        price: number,
        quantity: number,
        symbol: text,
        trade_type: text,
      }),
      journal: closed({ description: text, quantity: number }),
      dividend: closed({ description: text, quantity: number }),
      ach: closed({ description: text, quantity: number }),
      interest: closed({ description: text, quantity: number }),
    },
    additionalProperties: false,
  }),
  quotes: closed({
    quotes: {
      anyOf: [
        closed(
          {},
          {
            quote: listOf(quote),
            unmatched_symbols: closed({ symbol: { anyOf: [text, { type: 'array', items: text }] } }),
          },
        ),
        { enum: ['null', null] },
      ],
    },
  }),
  daily: wrapped('history', 'day', closed({ date, ...prices })),
  timesales: wrapped(
    'series',
    'data',
    closed({
      time: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:00$' },
      timestamp: { type: 'integer' },
      price: number,
      ...prices,
      vwap: number,
    }),
  ),
  clock: closed({
    clock: closed({
      date,
      description: text,
      state: { enum: ['open', 'closed', 'premarket', 'postmarket'] },
      timestamp: { type: 'integer' },
      next_change: { type: 'string', pattern: '^\\d\\d:\\d\\d$' },
      next_state: { enum: ['open', 'closed', 'premarket', 'postmarket'] },
    }),
  }),
  calendar: closed({
    calendar: closed({
      month: { type: 'integer' },
      year: { type: 'integer' },
      days: closed({
        day: {
          type: 'array',
          items: closed(
            { date, status: { enum: ['open', 'closed'] }, description: text },
            { premarket: session, open: session, postmarket: session },
          ),
        },
      }),
    }),
  }),
  watchlists: wrapped('watchlists', 'watchlist', closed({ name: text, id: text, public_id: text })),
  watchlist: closed({
    watchlist: closed({
      name: text,
      id: text,
      public_id: text,
      items: {
        anyOf: [closed({ item: listOf(closed({ symbol: text, id: text })) }), { enum: ['null', null] }],
      },
    }),
  }),
};
