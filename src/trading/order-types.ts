/** What an order waits for before it trades; how each is called and its prices are said is in `order-type-words.ts`. */
export const orderTypes = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'] as const;
export type OrderType = (typeof orderTypes)[number];

/** How long an order stands. */
export const timesInForce = ['day', 'gtc', 'opg', 'cls', 'ioc', 'fok'] as const;
export type TimeInForce = (typeof timesInForce)[number];
