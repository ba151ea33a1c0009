import { closed, each, flag, integer, list, number, object, oneOf, text } from '../json-schema.ts';

/*
 * What the Client Portal Web API takes and answers, in our words: the parts that the adapter meets of Interactive Brokers'
 * documentation (ibkrcampus.com, "Web API"; its OpenAPI document at api.ibkr.com/gw/api/v3/api-docs, 2.29.0) and of answers
 * of a real gateway as others have recorded them (cquillen/ibkr-conduit, Fixtures). Answers may have more.
 */

const taken = object(
  { order_id: { type: 'string', pattern: '^[1-9]\\d*$' }, order_status: text },
  { encrypt_message: { enum: ['1', '0'] } },
);
/** "Order Reply Messages" */
const reply = object({
  id: text,
  message: list(text, 1),
  isSuppressed: flag,
  messageIds: list({ type: 'string', pattern: '^[op]\\d+$' }),
});
const failed = object({ order_id: { enum: ['-1'] }, order_status: text, text }, { warning_message: text });

export const ibkrSchemas: Readonly<Record<string, object>> = {
  /** "Place Order": the body. */
  orderForm: closed({
    orders: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: closed(
        {
          conid: integer,
          orderType: oneOf('MKT LMT STP STOP_LIMIT MIDPRICE TRAIL TRAILLMT'),
          side: { enum: ['BUY', 'SELL'] },
          tif: oneOf('DAY GTC OPG IOC PAX'),
          quantity: number,
        },
        {
          acctId: text,
          cOID: { type: 'string', maxLength: 64 },
          listingExchange: text,
          outsideRTH: flag,
          price: number,
          auxPrice: number,
        },
      ),
    },
  }),
  placed: list({ anyOf: [taken, reply, failed] }, 1),
  replyForm: closed({ confirmed: flag }),
  error: object({ error: text }, { statusCode: integer }),
  cancelled: object({
    msg: { enum: ['Request was submitted'] },
    order_id: integer,
    conid: integer,
    account: { type: ['string', 'null'] },
  }),
  /** "Live Orders" */
  orders: object({
    orders: list(
      object(
        {
          acct: text,
          account: text,
          conid: integer,
          conidex: text,
          orderId: integer,
          ...each(text, 'orderDesc ticker secType listingExchange'),
          ...each(number, 'remainingQuantity filledQuantity totalSize'),
          companyName: text,
          status: oneOf('PendingSubmit PreSubmitted Submitted PendingCancel Cancelled Filled Inactive'),
          order_ccp_status: text,
          orderType: { enum: ['Market', 'Limit', 'Stop', 'Stop Limit'] },
          timeInForce: oneOf('DAY GTC OPG IOC CLOSE'),
          lastExecutionTime_r: integer,
          side: { enum: ['BUY', 'SELL'] },
        },
        {
          ...each(text, 'price auxPrice avgPrice order_ref'),
          outsideRTH: flag,
          origOrderType: text,
          cashCcy: text,
        },
      ),
    ),
    snapshot: flag,
  }),
  accounts: object({
    accounts: list(text),
    isPaper: flag,
    selectedAccount: text,
    acctProps: { type: 'object' },
  }),
  portfolioAccounts: list(
    object({
      ...each(text, 'id accountId currency clearingStatus'),
      brokerageAccess: flag,
      type: text,
    }),
  ),
  summary: object({
    accountType: text,
    status: text,
    ...each(number, 'balance buyingPower availableFunds netLiquidationValue totalCashValue'),
    cashBalances: list(object({ currency: text, balance: number, settledCash: number })),
  }),
  positions: list(
    object({
      acctId: text,
      conid: integer,
      contractDesc: text,
      ...each(number, 'position mktPrice mktValue'),
      currency: text,
      ...each(number, 'avgCost avgPrice realizedPnl unrealizedPnl'),
      assetClass: text,
    }),
  ),
  stocks: {
    type: 'object',
    additionalProperties: list(
      object({
        name: text,
        assetClass: text,
        contracts: list(object({ conid: integer, exchange: text, isUS: flag })),
      }),
    ),
  },
  snapshot: list(
    object(
      { conid: integer, conidEx: text },
      { _updated: integer, server_id: text, '6509': text, '31': text, '84': text, '86': text, '7741': text },
    ),
  ),
  history: object({
    symbol: text,
    text,
    timePeriod: text,
    barLength: integer,
    data: list(object({ o: number, c: number, h: number, l: number, v: number, t: integer })),
  }),
  tickle: object({ session: text, iserver: { type: 'object' } }),
};
