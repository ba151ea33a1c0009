import { closed, each, flag, integer, list, nullable, number, object, oneOf, text } from '../json-schema.ts';

/*
 * What SnapTrade's API takes and answers, in our words: the parts of its OpenAPI document (passiv/snaptrade-sdks, api.yaml;
 * the same that the types of snaptrade-typescript-sdk 11.0.3 are made from) that the adapter meets. Answers may have more.
 */

const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' };
const instant = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|\\+00:00)$',
};
const date = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' };

const currency = object({}, { id: uuid, code: text, name: text });
/** UniversalSymbol */
const universalSymbol = object(
  {
    id: uuid,
    symbol: text,
    raw_symbol: text,
    currency,
    type: object({}, { id: uuid, code: text, description: text, is_supported: flag }),
    currencies: list(currency),
  },
  {
    description: nullable(text),
    exchange: object({}, { id: uuid, code: text, mic_code: nullable(text), name: text }),
    figi_code: nullable(text),
  },
);

const status = oneOf(
  'NONE PENDING ACCEPTED FAILED REJECTED CANCELED PARTIAL_CANCELED CANCEL_PENDING EXECUTED PARTIAL REPLACE_PENDING REPLACED STOPPED SUSPENDED EXPIRED QUEUED TRIGGERED ACTIVATED PENDING_RISK_REVIEW CONTINGENT_ORDER',
);

/** AccountOrderRecord: none of it is promised. */
const orderRecord = object(
  {},
  {
    brokerage_order_id: text,
    status,
    universal_symbol: nullable(universalSymbol),
    option_symbol: nullable({ type: 'object' }),
    action: text,
    ...each(
      nullable(text),
      'total_quantity open_quantity canceled_quantity filled_quantity execution_price limit_price stop_price order_type',
    ),
    time_in_force: text,
    time_placed: instant,
    time_updated: nullable(instant),
    time_executed: nullable(instant),
    expiry_date: nullable(text),
    symbol: uuid,
  },
);

export const snaptradeSchemas: Readonly<Record<string, object>> = {
  /** ManualTradeFormWithOptions */
  placeForm: closed(
    {
      account_id: uuid,
      action: oneOf('BUY SELL BUY_TO_OPEN BUY_TO_CLOSE SELL_TO_OPEN SELL_TO_CLOSE'),
      order_type: oneOf('Limit Market StopLimit Stop'),
      time_in_force: oneOf('FOK Day GTC IOC GTD'),
    },
    {
      universal_symbol_id: nullable(uuid),
      symbol: nullable(text),
      trading_session: { enum: ['REGULAR', 'EXTENDED'] },
      expiry_date: nullable(text),
      ...each(nullable(number), 'price stop units'),
      notional_value: nullable({ anyOf: [text, number] }),
      client_order_id: nullable(text),
    },
  ),
  orderIdForm: closed({ brokerage_order_id: text }),
  order: orderRecord,
  orders: list(orderRecord),
  cancelled: object({ brokerage_order_id: text }, { raw_response: nullable({ type: 'object' }) }),
  account: object(
    {
      id: uuid,
      brokerage_authorization: uuid,
      name: nullable(text),
      number: text,
      institution_name: text,
      created_date: instant,
      sync_status: object({}, { transactions: { type: 'object' }, holdings: { type: 'object' } }),
      balance: object({ total: nullable(object({}, { amount: number, currency: text })) }),
      is_paper: flag,
    },
    {
      status: { enum: ['open', 'closed', 'archived', 'unavailable', null] },
      raw_type: nullable(text),
      meta: { type: 'object' },
    },
  ),
  connection: object(
    {},
    {
      id: uuid,
      created_date: instant,
      name: text,
      type: text,
      disabled: flag,
      disabled_date: nullable(instant),
      brokerage: { type: 'object' },
    },
  ),
  balances: list(object({}, { currency, cash: nullable(number), buying_power: nullable(number) })),
  balanceHistory: object({}, { history: list(object({}, { date, total_value: text })), currency: text }),
  positions: object({
    results: list(
      object(
        {
          instrument: object(
            { kind: text, id: uuid, symbol: text, raw_symbol: text },
            {
              ...{ description: nullable(text), currency: nullable(text), exchange: nullable(text) },
              ...{ option_type: text, strike_price: text, expiration_date: text, multiplier: text },
              underlying: { type: 'object' },
            },
          ),
        },
        {
          ...each(nullable(text), 'units price cost_basis currency'),
          cash_equivalent: flag,
        },
      ),
    ),
    data_freshness: { type: 'object' },
  }),
  quotes: list(
    object(
      {},
      {
        symbol: universalSymbol,
        ...each(number, 'last_trade_price bid_price ask_price bid_size ask_size'),
      },
    ),
  ),
  universalSymbol,
  activities: object(
    {},
    {
      data: list(
        object(
          {},
          {
            id: text,
            symbol: nullable({ type: 'object' }),
            option_symbol: nullable({ type: 'object' }),
            price: number,
            units: number,
            amount: nullable(number),
            currency: nullable(currency),
            ...each(text, 'type option_type description'),
            trade_date: nullable(instant),
            settlement_date: instant,
            fee: number,
            fx_rate: nullable(number),
            institution: text,
            external_reference_id: nullable(text),
          },
        ),
      ),
      pagination: object({}, { offset: integer, limit: integer, total: integer }),
    },
  ),
  /** "Error handling": every one has these. */
  error: object({ detail: text, status_code: integer }, { code: { anyOf: [text, integer] } }),
};
