// Step 7: your own agent, over MCP. `trade-agent mcp` is a server for any client that starts a program; it has no power but
// to look and to propose. Any MCP library would do; here are the messages themselves (JSON-RPC, one a line).
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createApp, createGatewayClient, systemClock } from 'trade-agent';

const launcher = join(
  dirname(createRequire(import.meta.url).resolve('trade-agent/package.json')),
  'bin/trade-agent.js',
);
const server = spawn(process.execPath, [launcher, 'mcp'], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
let last = 0;

function tell(method: string, params: object, id?: number): void {
  server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...(id === undefined ? {} : { id }), method, params })}\n`);
}

interface Answer {
  readonly id?: number;
  readonly params?: { readonly message?: string };
  readonly result?: {
    readonly structuredContent?: Record<string, unknown>;
    readonly tools?: { name: string }[];
  };
  readonly error?: { readonly message: string };
}

async function ask(method: string, params: object): Promise<NonNullable<Answer['result']>> {
  last += 1;
  tell(method, params, last);
  for (;;) {
    const { value, done } = await answers.next();
    if (done === true) throw new Error('the server has ended');
    const { id, result, error, params } = JSON.parse(value) as Answer;
    // What the owner is asked, while they are.
    if (params?.message !== undefined) console.log(params.message);
    if (id !== last) continue;
    if (result === undefined) throw new Error(error?.message);
    return result;
  }
}

const call = async (name: string, args: object) =>
  (await ask('tools/call', { name, arguments: args, _meta: { progressToken: name } })).structuredContent ?? {};

const client = { name: 'workshop', version: '1' };
await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: client });
tell('notifications/initialized', {});
const { tools = [] } = await ask('tools/list', {});
console.log(
  `${tools.length} tools, place_order ${tools.some(({ name }) => name === 'place_order') ? 'among them' : 'missing'}`,
);

const order = { symbol: 'MSFT', side: 'buy', qty: '1', type: 'limit', limit_price: '20' };
// The answer comes when the owner has decided, or after 20 seconds; `check_approval` waits on.
const { status, proposal_id, message } = await call('place_order', order);
console.log(`${status}: ${message}`);

// The same proposal as its owner's own program sees it: every field is somebody else's word, and says whose.
const signal = AbortSignal.timeout(60_000);
const app = createApp({
  env: process.env,
  clock: systemClock,
  fetch,
  signal,
  tell: (line) => console.error(line),
});
const gateway = createGatewayClient(await app.requireSession(), { signal });
const seen = await gateway.proposal(String(proposal_id));
console.log(`asked by ${seen.requested_by}; where it is from: ${seen.provenance?.fields.symbol?.source}`);
await app.close();
server.stdin.end();
