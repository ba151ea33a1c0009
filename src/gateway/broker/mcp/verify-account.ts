import { setTimeout } from 'node:timers/promises';
import { isTradeAgentError } from '../../../trading/errors.ts';
import { Refusal } from '../../../trading/refusal.ts';
import { createAssetCatalogue } from '../asset-catalogue.ts';
import type { KeptOf } from '../kept-kinds.ts';
import type { VerifiedAccount, VerifyOptions } from '../verified-account.ts';
import { noAccount, unreachable, wrongCredentials } from '../verify-problems.ts';
import { connectMcp } from './mcp-broker.ts';
import { type McpSettings, mappingOf } from './settings.ts';

/** By the tool that tells of the account; whether it is a paper one the settings say. */
export async function verifyMcpToken(
  settings: McpSettings,
  credentials: KeptOf<'access_token'>,
  { fetch, timeoutMs }: Required<VerifyOptions>,
): Promise<VerifiedAccount> {
  const { host } = new URL(settings.url);
  const { environment } = settings;
  const now = Date.now;
  const context = {
    environment,
    fetch,
    timeoutMs,
    now,
    sleep: setTimeout,
    assets: createAssetCatalogue(now),
  };
  let isRefused = false;
  try {
    const broker = connectMcp(settings, context)(credentials, () => {
      isRefused = true;
    });
    const { account, status, trading_blocked } = await broker.account();
    return { accountNumber: account, environment, status, tradingBlocked: trading_blocked };
  } catch (error) {
    if (isTradeAgentError(error) || !(error instanceof Refusal)) throw error;
    if (isRefused) {
      throw wrongCredentials(
        mappingOf(settings).label,
        'access token',
        'Copy it again, whole; make a new one where it is lost.',
      );
    }
    if (error.code === 'account_not_connected')
      throw noAccount(host, `has no account ${credentials.accountNumber} for this token`);
    if (error.code === 'broker_invalid_response')
      throw noAccount(host, 'answers with no account', 'broker.url');
    throw unreachable(host, error.code === 'broker_timeout' ? 'timeout' : 'unreachable');
  }
}
