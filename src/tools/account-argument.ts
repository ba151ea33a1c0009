import { z } from 'zod';
import { accountCalled } from './gateway/account-requests.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { argumentsOf, type DirectTool, requireGateway, type ToolContext } from './tool.ts';

/** Which account a call is about, as the person calls it. */
export const accountArgument = z.lazy(() =>
  z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      'Number or name of one of the person’s accounts, where they named one (list_accounts has them); else leave it out',
    ),
);

/**
 * A tool that is about one account, with an `account` argument beside its own: what it then asks is of that account, and of
 * the default one where none is named.
 */
export function ofOneAccount(tool: DirectTool): DirectTool {
  return {
    ...tool,
    schema: z.lazy(() => argumentsOf(tool).extend({ account: accountArgument })),
    async execute(context, args) {
      const { account, ...own } = args as { account?: string };
      return await tool.execute(
        account === undefined ? context : await inAccountCalled(context, account),
        own,
      );
    },
  };
}

/** A call's arguments without which account they are about, and the gateway for that one. */
interface AboutAccount {
  readonly args: Record<string, unknown>;
  readonly gateway: GatewayClient;
  /** Undefined where none is named. */
  readonly account: ReturnType<typeof accountCalled> | undefined;
}

/**
 * Reads which account a proposal's call is about: models write null, or nothing, for what they leave out.
 * @throws {TradeAgentError} `usage` where the person has none that is called so
 */
export async function aboutAccount(
  gateway: GatewayClient,
  { account: called, ...args }: Record<string, unknown>,
): Promise<AboutAccount> {
  if (called === undefined || called === null || called === '') return { args, gateway, account: undefined };
  const account = accountCalled(String(called), await gateway.accounts());
  return { args, gateway: gateway.inAccount(account.account), account };
}

async function inAccountCalled(context: ToolContext, name: string): Promise<ToolContext> {
  return { ...context, gateway: await gatewayInAccount(requireGateway(context), name) };
}

/** The gateway for one account. @throws {TradeAgentError} `usage` where the person has none that is called so */
async function gatewayInAccount(gateway: GatewayClient, name: string): Promise<GatewayClient> {
  return gateway.inAccount(accountCalled(name, await gateway.accounts()).account);
}
