// Step 3: the agent knows its user. Device flow (RFC 8628): the person signs in on their phone, no password passes here, and
// what this machine gets is bound to a key that it keeps (DPoP).
import { createApp, createGatewayClient, startLogin, systemClock } from 'trade-agent';

const signal = AbortSignal.timeout(120_000);
const tell = (line: string) => console.error(line);
const app = createApp({ env: process.env, clock: systemClock, fetch, signal, tell });

if ((await app.session()) === undefined) {
  const login = await startLogin(app);
  console.log(`Open ${login.address} and enter ${login.userCode}; it asks for:`);
  for (const asked of login.asks) console.log(`  ${asked}`);
  // In the sandbox the terminal stands in for the phone.
  if (login.sandboxCommand !== undefined) console.log(`or type: npx ${login.sandboxCommand}`);
  await login.complete(signal);
}
const session = await app.requireSession();
console.log(`signed in: ${session.user.name ?? session.user.sub}`);

// The gateway opens this person's account by this person's token. There is no other way in, and none for others.
const gateway = createGatewayClient(session, { signal });
const account = await gateway.account();
console.log(`${account.account}: ${account.equity} dollars`);
for (const { symbol, qty } of await gateway.positions()) console.log(`${qty} ${symbol}`);
await app.close();
