/*
 * Answers of the kind that Tradier's documentation shows ("Response Examples"; account numbers and figures of ours), which
 * the schemas beside it and the adapter's parsers must both take.
 */
export const tradierExamples: Readonly<Record<string, unknown>> = {
  profile: {
    profile: {
      account: [
        {
          account_number: 'VA000001',
          classification: 'individual',
          date_created: '2016-08-01T21:08:55.000Z',
          day_trader: false,
          option_level: 6,
          status: 'active',
          type: 'margin',
          last_update_date: '2016-08-01T21:08:55.000Z',
        },
        {
          account_number: 'VA000002',
          classification: 'traditional_ira',
          date_created: '2016-08-05T17:24:34.000Z',
          day_trader: false,
          option_level: 3,
          status: 'closed',
          type: 'cash',
          last_update_date: '2016-08-05T17:24:34.000Z',
        },
      ],
      id: 'id-someone',
      name: 'Some One',
    },
  },
  positions: { positions: 'null' },
  orders: {
    orders: {
      order: {
        id: 228175,
        type: 'limit',
        symbol: 'AAPL',
        side: 'buy',
        quantity: 50.0,
        status: 'expired',
        duration: 'pre',
        price: 22.0,
        avg_fill_price: 0.0,
        exec_quantity: 0.0,
        last_fill_price: 0.0,
        last_fill_quantity: 0.0,
        remaining_quantity: 0.0,
        create_date: '2018-06-01T12:02:29.682Z',
        transaction_date: '2018-06-01T12:30:02.385Z',
        class: 'equity',
      },
    },
  },
  placed: { order: { id: 257459, status: 'ok', partner_id: 'c4998eb7-06e8-4820-a7ab-55d9760065fb' } },
  errors: { errors: { error: ['Backoffice rejected override of the order.', 'InitialMargin'] } },
  clock: {
    clock: {
      date: '2019-05-06',
      description: 'Market is open from 09:30 to 16:00',
      state: 'open',
      timestamp: 1557156988,
      next_change: '16:00',
      next_state: 'postmarket',
    },
  },
};
