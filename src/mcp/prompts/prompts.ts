import {
  type GetPromptResult,
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { safeLine } from '../../text/sanitize.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { McpTool } from '../tools/mcp-tool.ts';

const argumentSchemas = {
  account: z.string().min(1).max(64),
  symbol: z.lazy(() => symbolSchema),
  targets: z.string().min(1).max(500),
};
type ArgumentName = keyof typeof argumentSchemas;
type Arguments = Readonly<Partial<Record<ArgumentName, string>>>;

const argumentDescriptions: Readonly<Record<ArgumentName, string>> = {
  account: 'Number or name of an account; default: the default account',
  symbol: 'Only orders of this ticker',
  targets: 'Such as "AAPL 60%, BND 40%"; default: the owner’s rules',
};

interface McpPrompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly takes: readonly ArgumentName[];
  /** Tools that the text names. The prompt is only offered to a client that has all of them. */
  readonly tools: readonly string[];
  /** @param has whether the client has a tool */
  text(args: Arguments, has: (tool: string) => boolean): string;
}

const prompts: readonly McpPrompt[] = [
  {
    name: 'check_portfolio',
    title: 'Check my portfolio',
    description: 'Value, performance, risk and open orders of an account, in one report',
    takes: ['account'],
    tools: ['get_portfolio', 'get_performance', 'get_risk', 'list_orders'],
    text: ({ account }) =>
      [
        `Check my portfolio${account === undefined ? '' : `, with account ${quoted(account)} in each call`}.`,
        'Call get_portfolio, get_performance with period 1M, get_risk, and list_orders with status open.',
        'Report the value and today’s change, the return of the month beside the benchmark, the largest positions with their weights, cash, drawdown, and open orders. Then say what stands out and why.',
        'Use only figures from the results, and say what they leave out. Place and change nothing.',
      ].join(' '),
  },
  {
    name: 'plan_rebalance',
    title: 'Plan a rebalance',
    description: 'The fewest orders that bring an account to its targets',
    takes: ['account', 'targets'],
    tools: ['suggest_rebalance'],
    text: ({ account, targets }, has) =>
      [
        `Plan a rebalance${account === undefined ? '' : ` of account ${quoted(account)}`}.`,
        `Call suggest_rebalance ${targets === undefined ? 'without targets, to use my rules. If I have none, ask me for them' : `with these targets: ${quoted(targets)}. Write each as a fraction, such as "0.6" for 60%`}.`,
        'Show each order, the weight before and its target, and what is left and why.',
        has('place_order')
          ? 'Wait for my answer before you call place_order, once for each order. I approve each on my phone.'
          : 'Place nothing.',
      ].join(' '),
  },
  {
    name: 'review_open_orders',
    title: 'Review open orders',
    description: 'Each open order beside the market, and requests that wait for the owner',
    takes: ['account', 'symbol'],
    tools: ['list_orders', 'list_proposals', 'get_quote'],
    text: ({ account, symbol }) =>
      [
        `Review my open orders${symbol === undefined ? '' : ` of ${symbol}`}${account === undefined ? '' : `, with account ${quoted(account)} in each call that takes one`}.`,
        `Call list_orders with status open${symbol === undefined ? '' : ` and symbol ${symbol}`}, follow next_cursor to the last page, then call get_quote for their symbols and list_proposals.`,
        'For each order report its terms, age, filled part, and how far the market is from its price. Name orders that are far from the market, old, or in conflict with another.',
        'Change and cancel nothing before I ask for it.',
      ].join(' '),
  },
];

/** Writes an argument as JSON, so that the text shows where it begins and ends. */
function quoted(value: string): string {
  return JSON.stringify(safeLine(value));
}

/** Serves the prompts that name only tools of the client. */
export function servePrompts(server: Server, tools: readonly McpTool[]): void {
  const has = (name: string) => tools.some((tool) => tool.name === name);
  const offered = prompts.filter((prompt) => prompt.tools.every(has));
  server.setRequestHandler('prompts/list', () => ({ prompts: offered.map(toListedPrompt) }));
  server.setRequestHandler('prompts/get', ({ params: { name, arguments: args = {} } }): GetPromptResult => {
    const prompt = offered.find((one) => one.name === name);
    if (prompt === undefined) throw invalidParams(`there is no prompt ${JSON.stringify(safeLine(name, 64))}`);
    const text = prompt.text(parsePromptArguments(prompt, args), has);
    return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
  });
}

function toListedPrompt({ name, title, description, takes }: McpPrompt): Prompt {
  return {
    name,
    title,
    description,
    arguments: takes.map((argument) => ({
      name: argument,
      description: argumentDescriptions[argument],
      required: false,
    })),
  };
}

/** Parses the arguments. Some clients send an empty text for an argument that their user left out. */
function parsePromptArguments({ takes }: McpPrompt, args: Readonly<Record<string, string>>): Arguments {
  const given = Object.entries(args).filter(([, value]) => value.trim() !== '');
  const parsed = given.map(([name, value]) => {
    const taken = takes.find((one) => one === name);
    if (taken === undefined) throw invalidParams(`there is no argument ${JSON.stringify(safeLine(name, 64))}`);
    const { data, error } = argumentSchemas[taken].safeParse(value.trim());
    if (error !== undefined) throw invalidParams(`${taken}: ${error.issues[0]?.message ?? 'is invalid'}`);
    return [taken, data];
  });
  return Object.fromEntries(parsed);
}

function invalidParams(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
