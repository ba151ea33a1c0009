import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type CallToolResult, createMcpHandler, Server, type Tool } from '@modelcontextprotocol/server';
import { computeToolPin } from '../../../../src/net/tool-pin.ts';
import { startWorld, type World } from '../../sandbox/paper-broker-world.ts';

/*
 * Alpaca's own MCP server as a test has it: the tools that `alpaca-mcp-server` 2 publishes under their names, on the official
 * SDK's server, and behind them the sandbox's paper broker, which keeps to Alpaca's contract. Answers stand in the envelope of
 * its security.py; a no to an order is as its overrides.py has it; any other tool fails as FastMCP's tools of an OpenAPI
 * document do.
 */

export const MCP_TOKEN = 'token-of-the-mcp-server';

/** What is done in place of what the tool would do; undefined where it does as it should. */
export type Mischief = (
  tool: string,
  result: CallToolResult,
) => CallToolResult | undefined | Promise<CallToolResult | undefined>;

export interface AlpacaMcpServer {
  readonly url: string;
  readonly paper: World;
  /** What the operator confirms. */
  readonly pins: Readonly<Record<string, string>>;
  /** Tools that were called, with their arguments. */
  readonly called: { tool: string; args: Record<string, unknown> }[];
  /** The orders that it was called to place. */
  readonly placed: Record<string, unknown>[];
  /** What each tool says of itself, from now on. */
  describe(tool: string, description: string): void;
  mischief: Mischief | undefined;
  /** Speaks 2025-11-25 and nothing newer. */
  isOlder: boolean;
  /** What answers a `tools/call` in place of the protocol; undefined where nothing does. */
  raw: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;
  close(): Promise<void>;
}

type Args = Record<string, unknown>;
interface Endpoint {
  readonly description: string;
  readonly properties: readonly string[];
  readonly request: (args: Args) => { readonly method?: string; readonly path: string; readonly body?: Args };
}

const query = (args: Args) =>
  new URLSearchParams(Object.entries(args).map(([name, value]): [string, string] => [name, String(value)]));

const endpoints: Readonly<Record<string, Endpoint>> = {
  get_account_info: {
    description: 'Retrieves and formats the current account information including balances and status.',
    properties: [],
    request: () => ({ path: '/v2/account' }),
  },
  get_all_positions: {
    description: 'Retrieves all current positions in the portfolio as JSON.',
    properties: [],
    request: () => ({ path: '/v2/positions' }),
  },
  get_stock_snapshot: {
    description: 'Retrieves comprehensive snapshots of stock symbols.',
    properties: ['symbols'],
    request: (args) => ({ path: `/v2/stocks/snapshots?${query(args)}` }),
  },
  get_asset: {
    description: 'Retrieves and formats detailed information about a specific asset.',
    properties: ['symbol_or_asset_id'],
    request: ({ symbol_or_asset_id: id }) => ({ path: `/v2/assets/${id}` }),
  },
  get_orders: {
    description: 'Retrieves and formats orders with the specified filters.',
    properties: ['status', 'limit', 'symbols', 'direction', 'nested'],
    request: (args) => ({ path: `/v2/orders?${query(args)}` }),
  },
  get_order_by_id: {
    description: 'Retrieves a single order by its ID.',
    properties: ['order_id'],
    request: ({ order_id }) => ({ path: `/v2/orders/${order_id}` }),
  },
  get_order_by_client_id: {
    description: 'Retrieves a single order specified by the client order ID.',
    properties: ['client_order_id'],
    request: (args) => ({ path: `/v2/orders:by_client_order_id?${query(args)}` }),
  },
  cancel_order_by_id: {
    description: 'Cancel a specific order by its ID.',
    properties: ['order_id'],
    request: ({ order_id }) => ({ method: 'DELETE', path: `/v2/orders/${order_id}` }),
  },
  place_stock_order: {
    description: 'Place a stock or ETF order.',
    properties: [
      ...['symbol', 'side', 'qty', 'notional', 'type', 'time_in_force', 'limit_price', 'stop_price'],
      ...['trail_price', 'trail_percent', 'extended_hours', 'client_order_id', 'order_class'],
    ],
    request: ({ extended_hours, ...order }) => ({
      method: 'POST',
      path: '/v2/orders',
      body: extended_hours === true ? { ...order, extended_hours } : order,
    }),
  },
  // Never mapped.
  cancel_all_orders: {
    description: 'Cancel all open orders.',
    properties: [],
    request: () => ({ method: 'DELETE', path: '/v2/orders' }),
  },
};

const toolOf = (name: string, { description, properties }: Endpoint): Tool => ({
  name,
  description,
  inputSchema: {
    type: 'object',
    properties: Object.fromEntries(properties.map((property) => [property, {}])),
    additionalProperties: false,
  },
});

export const enveloped = (tool: string, data: unknown): CallToolResult => ({
  content: [],
  structuredContent: {
    _alpaca_mcp_security: { trust: 'untrusted_tool_output', tool_name: tool, risk: 'api_structured' },
    data,
  },
});
const failed = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });
/** As Python writes an object of strings and numbers. */
const repr = (value: unknown) => JSON.stringify(value).replaceAll('"', "'").replaceAll("':", "': ");

export async function startAlpacaMcp(): Promise<AlpacaMcpServer> {
  const paper = await startWorld({ requestsPerMinute: 1e9 });
  const token = await paper.token('alice');
  const descriptions = new Map<string, string>();
  const called: AlpacaMcpServer['called'] = [];
  const placed: AlpacaMcpServer['placed'] = [];
  const tools = () =>
    Object.entries(endpoints).map(([name, endpoint]) =>
      toolOf(name, { ...endpoint, description: descriptions.get(name) ?? endpoint.description }),
    );

  const perform = async (tool: string, args: Args): Promise<CallToolResult> => {
    const endpoint = endpoints[tool];
    if (endpoint === undefined) return failed(`Unknown tool: '${tool}'`);
    const { method = 'GET', path, body } = endpoint.request(args);
    const response = await fetch(`${paper.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text === '' ? undefined : JSON.parse(text);
    const { status, statusText, ok } = response;
    if (tool === 'place_stock_order') {
      const error = { message: 'API rejected the order', http_status: status, detail: json };
      return enveloped(tool, ok ? json : { error });
    }
    if (!ok) return failed(`Error calling tool '${tool}': HTTP error ${status}: ${statusText} - ${repr(json)}`);
    if (json === undefined) return enveloped(tool, { text: '' });
    return enveloped(tool, Array.isArray(json) ? { result: json } : json);
  };

  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'Alpaca', version: '2' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({ tools: tools() }));
    server.setRequestHandler('tools/call', async ({ params }) => {
      const args = params.arguments ?? {};
      called.push({ tool: params.name, args });
      if (params.name === 'place_stock_order') placed.push(args);
      const result = await perform(params.name, args);
      return (await started.mischief?.(params.name, result)) ?? result;
    });
    return server;
  });
  const listener = getRequestListener((request) => handler.fetch(request));
  const http = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${MCP_TOKEN}`) return void response.writeHead(401).end();
    const method = request.headers['mcp-method'];
    const isCall = method === 'tools/call';
    if (started.isOlder && method === 'server/discover') return void response.writeHead(404).end();
    if (isCall && started.raw !== undefined) return void started.raw(request, response);
    return void listener(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const started: AlpacaMcpServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    paper,
    pins: Object.fromEntries(
      tools()
        .filter(({ name }) => ['place_stock_order', 'cancel_order_by_id'].includes(name))
        .map((tool) => [tool.name, computeToolPin(tool)]),
    ),
    called,
    placed,
    describe: (tool, description) => void descriptions.set(tool, description),
    mischief: undefined,
    isOlder: false,
    raw: undefined,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await paper.close();
    },
  };
  return started;
}
