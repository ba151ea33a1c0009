// Step 4: connected accounts. The agent acts elsewhere (Slack) on the person's behalf, and never holds what opens it: the
// token lies in the identity provider's vault, and is exchanged (RFC 8693) for the gateway, call by call.
import { randomUUID } from 'node:crypto';
import { addConnection, createApp, createGatewayClient, isTradeAgentError, systemClock } from 'trade-agent';

const signal = AbortSignal.timeout(120_000);
const tell = (line: string) => console.error(line);
const app = createApp({ env: process.env, clock: systemClock, fetch, signal, tell });
const gateway = createGatewayClient(await app.requireSession(), { signal });

const message = { service: 'slack', recipient: '#desk', text: 'Nothing to report today.' } as const;
const propose = () => gateway.propose({ kind: 'message', message }, `workshop-${randomUUID()}`);

// The agent writes only to whom the person allowed. A new recipient takes a yes of its own, before any message.
const { limits, digest: base } = await gateway.policy();
const known = await gateway.propose(
  { kind: 'policy_change', policy_change: { base, limits: { ...limits, message_recipients: ['slack:#desk'] } } },
  `workshop-${randomUUID()}`,
);
console.log(`${known.worst_case?.text}`);
console.log(`compare ${known.code} with the phone; npx trade-agent phone --decide approve --once`);
let now = await gateway.proposal(known.id);
while (['drafted', 'requested', 'approved', 'executing'].includes(now.state)) {
  now = await gateway.proposal(known.id, { waitSeconds: 20, since: now.updated_at, signal });
}
console.log(`#desk is allowed: ${now.state}`);

console.log(`Slack is ${(await gateway.isConnected('slack')) ? '' : 'not '}connected`);
await propose().catch((error: unknown) => {
  if (!isTradeAgentError(error)) throw error;
  console.log(`without it: ${error.message}`);
});
const added = await addConnection(app, 'slack', {
  redirectPort: 0,
  show: async ({ address, ticket }) => {
    console.log(`Allow it at ${address}`);
    console.log(`or type: npx trade-agent phone connect ${ticket}`);
  },
});
console.log(`connected, for: ${added.scopes.join(' ')}`);

// Being connected is not being allowed: what is said in the person's name takes their yes to these very words.
const proposal = await propose();
console.log(`${proposal.state}: compare ${proposal.code} with the phone`);
const withdrawn = await gateway.withdraw(proposal.id);
console.log(withdrawn.state);
await app.close();
