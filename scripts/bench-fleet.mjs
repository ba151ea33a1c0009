// Measures a fleet of gateways on one PostgreSQL, for docs/operate/OPERATIONS.md.
//   npm run bench:fleet                     all parts
//   npm run bench:fleet -- orders pending   some of them
import { benchOrders } from './bench/fleet/orders.mjs';
import { benchPending } from './bench/fleet/pending.mjs';
import { benchRecord } from './bench/fleet/record.mjs';

const parts = { orders: benchOrders, pending: benchPending, record: benchRecord };

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`Unknown part: ${unknown.join(', ')}. Choose from ${Object.keys(parts).join(', ')}.`);
  process.exit(2);
}
for (const [name, run] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await run();
