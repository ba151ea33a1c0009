/** How long a request is held back, or a process stopped, in minutes. `NETWORK_TESTS_MINUTES` shortens it while the rig is developed. */
export const MINUTES = Number(process.env.NETWORK_TESTS_MINUTES ?? 20);

/** How long the cable stays out, in seconds, before it is reconnected. `NETWORK_TESTS_CABLE_SECONDS=20,45` selects some. */
export const CABLE_SECONDS = (process.env.NETWORK_TESTS_CABLE_SECONDS ?? '20,45,56,100').split(',').map(Number);

/** The gateway's timeout for one request to the broker, milliseconds. */
export const BROKER_TIMEOUT_MS = 10_000;

/** The shortest time to live that a proposal may have, seconds. */
export const TTL_S = 60;

/** How long after an approval's expiry the gateway writes an order off, milliseconds: five minutes, and time to look. */
export const WRITE_OFF_MS = 6 * 60_000;

/** Dollars that all orders under the mandate may total. One order below is about 800. */
export const MANDATE_TOTAL = 1_200;
/** Dollars a share, held by the market of the rig. */
export const SHARE_PRICE = '400.00';
