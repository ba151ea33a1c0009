import { createHash } from 'node:crypto';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Account, Order } from '../../../trading/views.ts';
import type { Broker, BrokerOrders, ConnectBroker } from '../broker.ts';
import type { AccountCredentials } from '../broker-credentials.ts';
import { NotSentError } from '../broker-failure.ts';
import type { BrokerContext } from '../broker-kind.ts';
import { type BrokerRequests, type ClassifyError, createBrokerRequests } from '../broker-requests.ts';
import { computeExchangeCalendar, computeExchangeClock } from '../exchange-hours.ts';
import {
  applyOrderQuery,
  requireSupportedOrder,
  toExactJsonNumber,
  unsupportedReplacementResult,
} from '../plain-orders.ts';
import { NoResponseError } from '../rest-client.ts';
import { matchesApprovedOrder } from '../same-order.ts';
import { createUnsupportedMethods } from '../unsupported-features.ts';
import { requireConfirmedTools } from './acting-tools.ts';
import { parseToolResult } from './answer.ts';
import { classifyMcpError, classifyMcpSubmissionError } from './failure.ts';
import type { MappedArgument, MappedToolCall, McpMapping, mappingInputs } from './mapping.ts';
import { createMcpSession, type McpSession } from './session.ts';
import { type McpSettings, resolveMcpMapping } from './settings.ts';
import { toMcpTerms, unsupportedMcpFeatures } from './traits.ts';
import {
  orderIdPatterns,
  readMappedRow,
  readMappedRows,
  toAccount,
  toAsset,
  toOrder,
  toPositions,
  toQuotes,
} from './views.ts';

const MOST_SESSIONS = 200;

export function createMcpConnector(settings: McpSettings, context: BrokerContext): ConnectBroker {
  const mapping = resolveMcpMapping(settings);
  const { now, assets } = context;
  const sessions = new Map<string, McpSession>();
  const sessionOf = (token: string): McpSession => {
    const key = createHash('sha256').update(token).digest('base64');
    const session = sessions.get(key) ?? createMcpSession({ ...context, url: settings.url }, token);
    if (!sessions.has(key) && sessions.size >= MOST_SESSIONS) sessions.clear();
    sessions.set(key, session);
    return session;
  };
  return (credentials, onUnauthorized): Broker => {
    const { token, account } = openedBy(credentials);
    const session = sessionOf(token);
    const failureContext = {
      refusals: mapping.refusals,
      kept: account === undefined ? undefined : 'access_token',
    } as const;
    const reportingUnauthorized =
      (classify: typeof classifyMcpError): ClassifyError =>
      (error) => {
        const failure = classify(error, failureContext);
        if (failure.kind === 'unauthorized') onUnauthorized();
        return failure;
      };
    const requests = createBrokerRequests(reportingUnauthorized(classifyMcpError));
    const ask = async (call: MappedToolCall, given: Given) =>
      parseToolResult(await session.call(call.tool, toToolArguments(call, given)), mapping.refusals);
    const read = <T>(call: MappedToolCall, given: Given, view: (answer: unknown) => T) =>
      requests.read(async () => view(await ask(call, { account, ...given })));
    return {
      ...createUnsupportedMethods(mapping.label, unsupportedMcpFeatures),
      ...mcpOrders({
        mapping,
        account,
        ask,
        requireConfirmed: () => requireConfirmedTools(session, mapping, settings.pins),
        requests,
        submissionFailureOf: reportingUnauthorized(classifyMcpSubmissionError),
      }),
      account: () =>
        read(mapping.account, {}, (answer) => requireAccount(toAccount(answer, mapping, settings), account)),
      positions: () => read(mapping.positions, {}, (answer) => toPositions(answer, mapping)),
      quotes: async (symbols) =>
        symbols.length === 0
          ? []
          : await read(mapping.quotes, { symbols }, (answer) => toQuotes(answer, mapping, symbols, settings.simulated)),
      asset: (symbol) =>
        assets.find(symbol, () =>
          requests.find(async () => {
            const asset = toAsset(await ask(mapping.asset, { account, symbol }), mapping);
            if (asset.symbol !== symbol) throw new NotSentError('a response about a different symbol');
            return asset;
          }),
        ),
      clock: async () => computeExchangeClock(now()),
      calendar: async (query) => computeExchangeCalendar(query),
    };
  };
}

function openedBy(credentials: AccountCredentials): { token: string; account: string | undefined } {
  if ('accessToken' in credentials) return { token: credentials.accessToken, account: undefined };
  if ('token' in credentials) return { token: credentials.token, account: credentials.accountNumber };
  throw new TypeError('these credentials are for a different broker');
}

/** @throws {HttpProblem} 409 `account_not_connected` if the token opened a different account than expected */
function requireAccount(found: Account, account: string | undefined): Account {
  if (account === undefined || found.account === account) return found;
  throw new HttpProblem(409, 'account_not_connected', 'the access token opens a different account', {
    hint: 'Enter the token and account number on the home’s own machine: "trade-agent home broker set".',
    members: { credentials: 'access_token' },
  });
}

interface OrderTools {
  readonly mapping: McpMapping;
  /** The account number that was entered with the token; undefined if the token was exchanged. */
  readonly account: string | undefined;
  readonly ask: (call: MappedToolCall, given: Given) => Promise<unknown>;
  /** @throws {NotSentError} for the same reasons as {@link requireConfirmedTools} */
  readonly requireConfirmed: () => Promise<void>;
  readonly requests: BrokerRequests;
  readonly submissionFailureOf: ClassifyError;
}

function mcpOrders(tools: OrderTools): BrokerOrders {
  const { mapping, account, ask, requireConfirmed, requests, submissionFailureOf } = tools;
  const one = async (call: MappedToolCall, given: Given, whose = account): Promise<Order> =>
    toOrder(readMappedRow(await ask(call, given), call), mapping, whose);
  const isId = (id: string) => orderIdPatterns[mapping.order_ids].test(id);
  const asked = (order: Order, isIt: boolean): Order => {
    if (!isIt) throw new NoResponseError('unreadable');
    return order;
  };
  return {
    orders: (query) =>
      requests.read(async () => {
        const { status, limit, symbols } = query;
        const answer = await ask(mapping.orders, { account, status, limit: String(limit), symbols });
        const listed = readMappedRows(answer, mapping.orders)
          .map((row) => toOrder(row, mapping, account))
          .sort((a, b) => b.submitted_at.localeCompare(a.submitted_at));
        return applyOrderQuery(listed, query);
      }),
    order: async (id) => {
      if (!isId(id)) return undefined;
      return requests.find(async () => {
        const order = await one(mapping.order, { account, order_id: id });
        return asked(order, order.id === id);
      });
    },
    orderByClientOrderId: async (clientOrderId) => {
      const { order_by_client_order_id: call } = mapping;
      if (call === undefined) return undefined;
      return requests.find(async () => {
        const order = await one(call, { account, client_order_id: clientOrderId });
        return asked(order, order.client_order_id === clientOrderId);
      });
    },
    submit: (draft) =>
      requests.submit(
        draft.client_order_id,
        async () => {
          if (account !== undefined && draft.account !== account)
            throw new NotSentError('the order is for a different account than the connected one');
          requireSupportedOrder(draft, mapping.label, toMcpTerms(mapping));
          await requireConfirmed();
          const order = await one(mapping.submit, { ...wordsOf(draft), account: draft.account }, draft.account);
          // If the server's orders have no client_order_id, all fields that were sent identify the order.
          const { client_order_id } = mapping.order_fields.client_order_id === undefined ? draft : order;
          const identified = { ...order, client_order_id };
          return asked(identified, matchesApprovedOrder(identified, draft));
        },
        submissionFailureOf,
      ),
    replace: async () => unsupportedReplacementResult(mapping.label),
    cancel: async (id) => {
      if (!isId(id)) return 'not_found';
      await requests.read(requireConfirmed).catch((error: unknown) => {
        throw error instanceof HttpProblem && error.cause instanceof NotSentError ? notConfirmed(error.cause) : error;
      });
      return requests.cancel(() => ask(mapping.cancel, { account, order_id: id }));
    },
  };
}

const wordsOf = (draft: OrderDraft): Given => {
  const { symbol, side, type, time_in_force, qty, limit_price, stop_price, client_order_id } = draft;
  return { symbol, side, type, time_in_force, qty, limit_price, stop_price, client_order_id };
};

function notConfirmed(cause: NotSentError): HttpProblem {
  return new HttpProblem(422, 'broker_rejected', cause.message, {
    hint: 'Cancel the order at the broker, or confirm the broker’s tools ("pins" in gateway.yaml).',
    cause,
  });
}

type Given = Partial<Record<(typeof mappingInputs)[number], string | readonly string[] | undefined>>;

/** Converts our fields to a tool's arguments. @throws {NotSentError} for a value that the mapping does not list */
export function toToolArguments({ tool, arguments: all }: MappedToolCall, given: Given): Record<string, unknown> {
  const entries = Object.entries(all).flatMap(([name, argument]): [string, unknown][] => {
    const value = saidOf(argument, given, tool);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

function saidOf(argument: MappedArgument, given: Given, tool: string): unknown {
  if ('is' in argument) return argument.is;
  const { from, words, as } = argument;
  const value = given[from];
  if (value === undefined || value.length === 0) return undefined;
  const said = (typeof value === 'string' ? [value] : value).map((one) => {
    if (words === undefined) return one;
    const theirs = Object.hasOwn(words, one) ? words[one] : undefined;
    if (theirs === undefined) throw new NotSentError(`the mapping of ${tool} has no value for ${from} ${one}`);
    return theirs;
  });
  if (as === 'list') return said;
  if (as === undefined) return said.join(',');
  return toExactJsonNumber(said.join(), tool);
}
