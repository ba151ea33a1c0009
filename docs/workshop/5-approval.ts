// Step 5: the person is asked before anything happens. The program proposes; the gateway asks their phone (CIBA with rich
// authorization details), and carries out exactly what they approved, whether or not this program is still there.
import { createApp, createGatewayClient, describeOrder, orderRequestSchema, systemClock } from 'trade-agent';

const signal = AbortSignal.timeout(120_000);
const tell = (line: string) => console.error(line);
const app = createApp({ env: process.env, clock: systemClock, fetch, signal, tell });
const gateway = createGatewayClient(await app.requireSession(), { signal });

const order = orderRequestSchema.parse({
  symbol: 'AAPL',
  side: 'buy',
  type: 'limit',
  qty: '2',
  limit_price: '500',
});
// The same key is the same proposal, however often it is sent: one question, one order.
const key = `workshop-5-${process.argv[2] ?? 'once'}`;
const proposal = await gateway.propose({ kind: 'order', order }, key);
const again = await gateway.propose({ kind: 'order', order }, key);
if (again.id !== proposal.id) throw new Error('asked twice');

console.log(describeOrder(order));
console.log(`at worst: ${proposal.worst_case?.text}`);
console.log(`compare ${proposal.code} with the phone; npx trade-agent phone --decide approve --once`);

// A wait is a question to the gateway: it may be given up and taken up again at any time.
let now = proposal;
while (['drafted', 'requested', 'approved', 'executing'].includes(now.state)) {
  now = await gateway.proposal(proposal.id, { waitSeconds: 20, since: now.updated_at, signal });
}
console.log(`the phone said: ${now.state}`);
if (now.kind === 'order' && now.result !== undefined) {
  console.log(`the broker says: ${now.result.status}, ${now.result.filled_qty} at ${now.result.filled_avg_price}`);
}
await app.close();
