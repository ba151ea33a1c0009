import { setTimeout } from 'node:timers/promises';
import { TradeAgentError } from '../../../errors/errors.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import type { OrderTool } from '../acting-tool.ts';
import { createAssetCatalog } from '../asset-catalog.ts';
import type { BrokerKind } from '../broker-kind.ts';
import { createBrokerRequests } from '../broker-requests.ts';
import type { StoredCredentialsOf } from '../stored-kinds.ts';
import {
  accountNotVerifiedError,
  brokerUnreachableError,
  type VerifiedAccount,
  type VerifyCredentialsOptions,
  wrongCredentialsError,
} from '../verify-problems.ts';
import { comparePinnedOrderTools } from './acting-tools.ts';
import { classifyMcpError } from './failure.ts';
import { createMcpConnector } from './mcp-broker.ts';
import { createMcpSession } from './session.ts';
import { type McpSettings, mcpSettingsSchema, resolveMcpMapping } from './settings.ts';
import { toMcpTraits } from './traits.ts';

export const mcpBrokerKind = {
  traits: { of: (settings: McpSettings) => toMcpTraits(resolveMcpMapping(settings)) },
  settings: mcpSettingsSchema,
  address: 'url',
  connect(settings, context) {
    // Compares the settings, because the server does not report whether it trades real money.
    if (settings.environment === context.environment) return createMcpConnector(settings, context);
    throw new TradeAgentError(
      'invalid_config',
      `the broker’s MCP server is ${settings.environment}, but this gateway is ${context.environment}`,
      { hint: 'Correct "environment" for the gateway or the broker in gateway.yaml.' },
    );
  },
  storedCredentials: { kinds: ['access_token'], verify: verifyMcpToken, tools: inspectTools },
} satisfies BrokerKind<McpSettings>;

type Given = StoredCredentialsOf<'access_token'>;

/** Verifies the token. Takes the environment from the settings, because no tool reports it. */
async function verifyMcpToken(
  settings: McpSettings,
  credentials: Given,
  { fetch, timeoutMs }: Required<VerifyCredentialsOptions>,
): Promise<VerifiedAccount> {
  const { environment } = settings;
  const now = Date.now;
  const context = {
    environment,
    fetch,
    timeoutMs,
    now,
    sleep: setTimeout,
    assets: createAssetCatalog(now),
  };
  return await translateErrors(settings, credentials, async (refused) => {
    const broker = createMcpConnector(settings, context)(credentials, refused);
    const { account, status, trading_blocked } = await broker.account();
    return { accountNumber: account, environment, status, tradingBlocked: trading_blocked };
  });
}

/** Reads the descriptions of the tools that place or cancel orders, without calling any tool. */
async function inspectTools(
  settings: McpSettings,
  credentials: Given,
  { fetch, timeoutMs }: Required<VerifyCredentialsOptions>,
): Promise<readonly OrderTool[]> {
  const mapping = resolveMcpMapping(settings);
  return await translateErrors(settings, credentials, async (refused) => {
    const session = createMcpSession({ fetch, timeoutMs, url: settings.url, now: Date.now }, credentials.token);
    const { read } = createBrokerRequests((error) => {
      const failure = classifyMcpError(error, { refusals: mapping.refusals, kept: 'access_token' });
      if (failure.kind === 'unauthorized') refused();
      return failure;
    });
    return comparePinnedOrderTools(await read(() => session.tools(0)), mapping, settings.pins);
  });
}

/** Runs `work`. @throws {TradeAgentError} the same errors as `verifyCredentials` in verify-keys.ts */
async function translateErrors<T>(
  settings: McpSettings,
  { accountNumber }: Given,
  work: (refused: () => void) => Promise<T>,
): Promise<T> {
  const { host } = new URL(settings.url);
  let isRefused = false;
  try {
    return await work(() => {
      isRefused = true;
    });
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (isRefused) {
      throw wrongCredentialsError(
        resolveMcpMapping(settings).label,
        'access token',
        'Copy the whole token again. If you lost the token, create a new one.',
      );
    }
    if (error.code === 'account_not_connected')
      throw accountNotVerifiedError(host, `has no account ${accountNumber} for this token`);
    if (error.code === 'broker_invalid_response')
      throw accountNotVerifiedError(host, 'did not return an account', 'broker.url');
    throw brokerUnreachableError(host, error.code === 'broker_timeout' ? 'timeout' : 'unreachable');
  }
}
