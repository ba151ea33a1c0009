// Step 6: fine-grained access. Rules refuse before the phone rings; a mandate, signed once, lets small orders pass without
// ringing it each time. Tightening is free, loosening takes the phone.
import { randomUUID } from 'node:crypto';
import { createApp, createGatewayClient, isTradeAgentError, orderRequestSchema, systemClock } from 'trade-agent';

const signal = AbortSignal.timeout(120_000);
const tell = (line: string) => console.error(line);
const app = createApp({ env: process.env, clock: systemClock, fetch, signal, tell });
const gateway = createGatewayClient(await app.requireSession(), { signal });

const buy = (symbol: string, qty: string) =>
  orderRequestSchema.parse({ symbol, side: 'buy', type: 'limit', qty, limit_price: '20' });
const propose = (qty: string, under?: 'any') =>
  gateway.propose(
    {
      kind: 'order',
      order: buy('KO', qty),
      // Each field in the person's own words; what a tool or a text said would be "other", and takes a tap.
      provenance: { fields: { symbol: { source: 'user' } } },
      ...(under === undefined ? {} : { mandate: under }),
    },
    `workshop-${randomUUID()}`,
  );

const { limits, digest: base } = await gateway.policy();
await gateway.changePolicy({ base, limits: { ...limits, max_order_notional: '1000' } });
console.log('no order above $1,000 from now on');
await propose('60').catch((error: unknown) => {
  if (!isTradeAgentError(error)) throw error;
  console.log(`refused, and the phone stays silent: ${error.message}`);
});

const DAY_MS = 86_400_000;
const until = new Date(Math.floor((Date.now() + 20 * DAY_MS) / 1000) * 1000).toISOString().replace('.000', '');
const asked = await gateway.propose(
  {
    kind: 'mandate',
    mandate: {
      symbols: ['KO'],
      max_order_notional: '50',
      max_total_notional: '100',
      max_orders: 3,
      expires_at: until,
    },
  },
  `workshop-${randomUUID()}`,
);
console.log(`${asked.worst_case?.text}`);
console.log(`compare ${asked.code} with the phone; npx trade-agent phone --decide approve --once`);
const settled = async (id: string) => {
  let now = await gateway.proposal(id);
  while (['drafted', 'requested', 'approved', 'executing'].includes(now.state)) {
    now = await gateway.proposal(id, { waitSeconds: 20, since: now.updated_at, signal });
  }
  return now;
};
console.log(`the mandate: ${(await settled(asked.id)).state}`);

console.log(`$20 within it: ${(await settled((await propose('1', 'any')).id)).state}, nobody was asked`);
const larger = await propose('4', 'any');
console.log(`$80, outside of it: ${larger.state}; the phone is asked as ever`);
console.log(`taken back: ${(await gateway.withdraw(larger.id)).state}`);
await app.close();
