import { createHash } from 'node:crypto';
import { Refusal } from '../../../trading/refusal.ts';
import type { Account } from '../../../trading/views.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import type { AccountCredentials } from '../broker-credentials.ts';
import { NotSent } from '../broker-failure.ts';
import type { BrokerContext } from '../broker-kind.ts';
import { brokerRequests, type FailureOf } from '../broker-requests.ts';
import { exchangeCalendar, exchangeClock } from '../exchange-hours.ts';
import { notOffered } from '../not-offered.ts';
import { requireConfirmed } from './acting-tools.ts';
import { answerOf } from './answer.ts';
import { argumentsOf, type Given } from './arguments.ts';
import { failureOf, submissionFailureOf } from './failure.ts';
import type { Call } from './mapping.ts';
import { mcpOrders } from './orders.ts';
import { type McpSession, mcpSession } from './session.ts';
import { type McpSettings, mappingOf } from './settings.ts';
import { mcpLacks } from './traits.ts';
import { accountView, assetView, positionViews, quoteViews } from './views.ts';

const MOST_SESSIONS = 200;

export function connectMcp(settings: McpSettings, context: BrokerContext): ConnectBroker {
  const mapping = mappingOf(settings);
  const { now, assets } = context;
  const sessions = new Map<string, McpSession>();
  const sessionOf = (token: string): McpSession => {
    const key = createHash('sha256').update(token).digest('base64');
    const session = sessions.get(key) ?? mcpSession({ ...context, url: settings.url }, token);
    if (!sessions.has(key) && sessions.size >= MOST_SESSIONS) sessions.clear();
    sessions.set(key, session);
    return session;
  };
  return (credentials, onUnauthorized): Broker => {
    const { token, account } = openedBy(credentials);
    const session = sessionOf(token);
    const telling = {
      refusals: mapping.refusals,
      kept: account === undefined ? undefined : 'access_token',
    } as const;
    const told =
      (tell: typeof failureOf): FailureOf =>
      (error) => {
        const failure = tell(error, telling);
        if (failure.kind === 'unauthorized') onUnauthorized();
        return failure;
      };
    const requests = brokerRequests(told(failureOf));
    const ask = async (call: Call, given: Given) =>
      answerOf(await session.call(call.tool, argumentsOf(call, given)), mapping.refusals);
    const read = <T>(call: Call, given: Given, view: (answer: unknown) => T) =>
      requests.read(async () => view(await ask(call, { account, ...given })));
    return {
      ...notOffered(mapping.label, mcpLacks),
      ...mcpOrders({
        mapping,
        account,
        ask,
        requireConfirmed: () => requireConfirmed(session, mapping, settings.pins),
        requests,
        submissionFailureOf: told(submissionFailureOf),
      }),
      account: () =>
        read(mapping.account, {}, (answer) => theirs(accountView(answer, mapping, settings), account)),
      positions: () => read(mapping.positions, {}, (answer) => positionViews(answer, mapping)),
      quotes: async (symbols) =>
        symbols.length === 0
          ? []
          : await read(mapping.quotes, { symbols }, (answer) =>
              quoteViews(answer, mapping, symbols, settings.simulated),
            ),
      asset: (symbol) =>
        assets.find(symbol, () =>
          requests.find(async () => {
            const asset = assetView(await ask(mapping.asset, { account, symbol }), mapping);
            if (asset.symbol !== symbol) throw new NotSent('an answer about another symbol');
            return asset;
          }),
        ),
      clock: async () => exchangeClock(now()),
      calendar: async (query) => exchangeCalendar(query),
    };
  };
}

function openedBy(credentials: AccountCredentials): { token: string; account: string | undefined } {
  if ('accessToken' in credentials) return { token: credentials.accessToken, account: undefined };
  if ('token' in credentials) return { token: credentials.token, account: credentials.accountNumber };
  throw new TypeError('these credentials are of another broker');
}

/** @throws {Refusal} 409 `account_not_connected` if the token opens another account than given */
function theirs(found: Account, account: string | undefined): Account {
  if (account === undefined || found.account === account) return found;
  throw new Refusal(409, 'account_not_connected', 'the access token opens another account', {
    hint: 'Give token and account number at the home’s own machine: "trade-agent home broker set".',
    members: { credentials: 'access_token' },
  });
}
