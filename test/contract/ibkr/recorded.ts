/*
 * Answers as a real gateway gave them, shortened to what is looked at (recorded by cquillen/ibkr-conduit, and the examples of
 * ibkrcampus.com): the schemas beside must take them, so that they are not only our idea of them.
 */
export const ibkrRecorded: readonly (readonly [schema: string, answer: unknown])[] = [
  ['placed', [{ order_id: '123456789', order_status: 'PreSubmitted', encrypt_message: '1' }]],
  [
    'placed',
    [
      {
        id: '07a13a5a-4a48-44a5-bb25-5ab37b79186c',
        message: [
          'The following order "BUY 100 AAPL NASDAQ.NMS @ 165.0" price exceeds \nthe Percentage constraint of 3%.\nAre you sure you want to submit this order?',
        ],
        isSuppressed: false,
        messageIds: ['o163'],
      },
    ],
  ],
  [
    'placed',
    [
      {
        order_id: '-1',
        order_status: 'Failed',
        text: 'The size, 1, does not conform to the minimum variation of 100 for this contract.',
        warning_message: 'Order rejected by the exchange.',
      },
    ],
  ],
  ['cancelled', { msg: 'Request was submitted', order_id: 602801486, conid: -1, account: null }],
  [
    'orders',
    {
      orders: [
        {
          acct: 'U1234567',
          conidex: '756733',
          conid: 756733,
          account: 'U1234567',
          orderId: 473740665,
          cashCcy: 'USD',
          orderDesc: 'Bought 1 SPY Market, Day',
          ticker: 'SPY',
          secType: 'STK',
          listingExchange: 'ARCA',
          remainingQuantity: 0.0,
          filledQuantity: 1.0,
          totalSize: 1.0,
          companyName: 'SS SPDR S&P 500 ETF TRUST-US',
          status: 'Filled',
          order_ccp_status: 'Filled',
          avgPrice: '647.09',
          origOrderType: 'MARKET',
          orderType: 'Market',
          price: '',
          timeInForce: 'CLOSE',
          lastExecutionTime_r: 1775086847000,
          side: 'BUY',
        },
      ],
      snapshot: false,
    },
  ],
  [
    'snapshot',
    [
      {
        conidEx: '756733',
        conid: 756733,
        _updated: 1775169600000,
        server_id: '6571225',
        '6509': 'S',
        '31': '655.89',
        '84': '655.88',
        '86': '655.90',
      },
    ],
  ],
  [
    'stocks',
    {
      AAPL: [
        {
          name: 'APPLE INC',
          assetClass: 'STK',
          contracts: [
            { conid: 265598, exchange: 'NASDAQ', isUS: true },
            { conid: 38708077, exchange: 'MEXI', isUS: false },
          ],
        },
        {
          name: 'APPLE INC-CDR',
          assetClass: 'STK',
          contracts: [{ conid: 532640894, exchange: 'TSE', isUS: false }],
        },
      ],
    },
  ],
];
