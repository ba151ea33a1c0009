import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { SignedIn } from '../tools/tool.ts';
import type { Environment } from '../trading/order.ts';

/** Who calls, verified, and what they can reach: the same over HTTP and stdio. */
export interface McpCaller {
  readonly sub: string;
  /** The OAuth client. What it proposed is its own: another client of the same person's never sees it here. */
  readonly clientId: string;
  /** What was granted; a tool that needs more is not there. */
  readonly scopes: ReadonlySet<string>;
  readonly environment: Environment;
  readonly signedIn: SignedIn;
  /** The gateway's API, as this caller. */
  readonly gateway: GatewayClient;
}
