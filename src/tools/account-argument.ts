import { z } from 'zod';
import { resolveAccount } from './gateway/account-requests.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { type DirectTool, requireGateway, type ToolContext, toolArgumentsSchema } from './tool.ts';

export const accountArgument = z.lazy(() =>
  z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Number or name of one of the person’s accounts (see list_accounts), if they named an account; otherwise leave this out',
    ),
);

export function withAccountArgument(tool: DirectTool): DirectTool {
  return {
    ...tool,
    schema: z.lazy(() => toolArgumentsSchema(tool).extend({ account: accountArgument })),
    async execute(context, args) {
      const { account, ...own } = args as { account?: string };
      return await tool.execute(account === undefined ? context : await contextInAccount(context, account), own);
    },
  };
}

interface AccountSplit {
  readonly args: Record<string, unknown>;
  readonly gateway: GatewayClient;
  readonly account: ReturnType<typeof resolveAccount> | undefined;
}

/**
 * Separates the account from the other arguments. A model may omit the account or pass null.
 * @throws {TradeAgentError} `usage` if the account is unknown
 */
export async function splitAccountArgument(
  gateway: GatewayClient,
  { account: called, ...args }: Record<string, unknown>,
): Promise<AccountSplit> {
  if (called === undefined || called === null || called === '') return { args, gateway, account: undefined };
  const account = resolveAccount(String(called), await gateway.accounts());
  return { args, gateway: gateway.inAccount(account.account), account };
}

async function contextInAccount(context: ToolContext, name: string): Promise<ToolContext> {
  return { ...context, gateway: await gatewayInAccount(requireGateway(context), name) };
}

async function gatewayInAccount(gateway: GatewayClient, name: string): Promise<GatewayClient> {
  return gateway.inAccount(resolveAccount(name, await gateway.accounts()).account);
}
