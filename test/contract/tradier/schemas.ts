import { closed, each, flag, integer, number, oneOf, text } from '../json-schema.ts';

/*
 * What Tradier's Brokerage API takes and answers, in our words. Sources: documentation.tradier.com, "Response Examples" and
 * the reference pages named at each; their examples are in examples.ts, and are held to the same schemas.
 */

const maybe = { type: ['number', 'null'] };
const instant = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' };
const date = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' };

/** "One or several": Tradier writes a list of one without the list. */
const listOf = (row: object) => ({ anyOf: [row, { type: 'array', items: row, minItems: 2 }] });
/** An empty list is the word "null". */
const wrapped = (outer: string, inner: string, row: object) =>
  closed({ [outer]: { anyOf: [closed({ [inner]: listOf(row) }), { enum: ['null', null] }] } });

/** "Get an account's orders"; `tag` with `includeTags`. */
const order = closed(
  {
    id: integer,
    type: oneOf('market limit stop stop_limit debit credit even'),
    symbol: text,
    side: oneOf('buy buy_to_cover sell sell_short buy_to_open buy_to_close sell_to_open sell_to_close'),
    quantity: number,
    status: oneOf('open partially_filled filled expired canceled pending rejected pending_cancel'),
    duration: oneOf('day gtc pre post'),
    ...each(number, 'avg_fill_price exec_quantity last_fill_price last_fill_quantity remaining_quantity'),
    create_date: instant,
    transaction_date: instant,
    class: oneOf('equity option multileg combo'),
  },
  {
    price: number,
    stop_price: number,
    option_symbol: text,
    num_legs: integer,
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
    side: oneOf('buy buy_to_cover sell sell_short'),
    quantity: { type: 'string', pattern: '^[1-9]\\d*$' },
    type: oneOf('market limit stop stop_limit'),
    duration: oneOf('day gtc pre post'),
  },
  {
    price: { type: 'string', pattern: '^\\d+(\\.\\d+)?$' },
    stop: { type: 'string', pattern: '^\\d+(\\.\\d+)?$' },
    tag: { type: 'string', maxLength: 255, pattern: '^[A-Za-z0-9-]+$' },
    preview: { enum: ['true', 'false'] },
  },
);

const quote = closed({
  ...each(text, 'symbol description exch'),
  type: oneOf('stock option etf index mutual_fund'),
  last: maybe,
  change: maybe,
  ...each(maybe, 'open high low close change_percentage prevclose'),
  ...each(number, 'volume bid ask average_volume last_volume week_52_high week_52_low bidsize asksize'),
  ...each(integer, 'trade_date bid_date ask_date'),
  ...each(text, 'bidexch askexch root_symbols'),
});

const session = closed({ start: text, end: text });
const prices = { open: number, high: number, low: number, close: number, volume: integer };

export const tradierSchemas: Readonly<Record<string, object>> = {
  profile: closed({
    profile: closed({
      account: listOf(
        closed({
          account_number: text,
          classification: text,
          date_created: instant,
          day_trader: flag,
          option_level: integer,
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
        account_type: oneOf('cash margin pdt'),
        ...each(
          number,
          'close_pl current_requirement equity long_market_value market_value open_pl option_long_value option_requirement',
        ),
        pending_orders_count: integer,
        ...each(number, 'short_market_value stock_long_value total_cash uncleared_funds pending_cash'),
      },
      {
        margin: closed(
          each(number, 'fed_call maintenance_call option_buying_power stock_buying_power stock_short_value sweep'),
        ),
        cash: closed({ cash_available: number, sweep: number, unsettled_funds: number }),
        pdt: closed(each(number, 'fed_call maintenance_call option_buying_power stock_buying_power stock_short_value')),
      },
    ),
  }),
  positions: wrapped(
    'positions',
    'position',
    closed({ cost_basis: number, date_acquired: instant, id: integer, quantity: number, symbol: text }),
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
    order: closed({ id: integer, status: { enum: ['ok'] } }, { partner_id: text }),
  }),
  errors: closed({ errors: closed({ error: { anyOf: [text, { type: 'array', items: text }] } }) }),
  history: wrapped('history', 'event', {
    type: 'object',
    required: ['amount', 'date', 'type'],
    properties: {
      amount: number,
      date: instant,
      type: oneOf('trade option ach wire dividend fee tax journal check transfer adjustment interest'),
      trade: closed({
        commission: number,
        description: text,
        price: number,
        quantity: number,
        symbol: text,
        trade_type: text,
      }),
      ...each(closed({ description: text, quantity: number }), 'journal dividend ach interest'),
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
      timestamp: integer,
      price: number,
      ...prices,
      vwap: number,
    }),
  ),
  clock: closed({
    clock: closed({
      date,
      description: text,
      state: oneOf('open closed premarket postmarket'),
      timestamp: integer,
      next_change: { type: 'string', pattern: '^\\d\\d:\\d\\d$' },
      next_state: oneOf('open closed premarket postmarket'),
    }),
  }),
  calendar: closed({
    calendar: closed({
      month: integer,
      year: integer,
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
      ...each(text, 'name id public_id'),
      items: {
        anyOf: [closed({ item: listOf(closed({ symbol: text, id: text })) }), { enum: ['null', null] }],
      },
    }),
  }),
};
