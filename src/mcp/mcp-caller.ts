import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { OwnRules } from '../tools/own-rules.ts';
import type { SignedIn } from '../tools/tool.ts';
import type { Environment } from '../trading/order.ts';
import type { Proposal } from '../trading/proposal.ts';

/** The authenticated caller and what they can reach, over HTTP or stdio. */
export interface McpCaller {
  readonly sub: string;
  readonly clientId: string;
  /** Whether this client proposed it; other clients' proposals stay hidden. */
  owns(proposal: Pick<Proposal, 'client' | 'requested_by'>): boolean;
  /** Tools that need more are hidden. */
  readonly scopes: ReadonlySet<string>;
  readonly environment: Environment;
  /** Undefined if nobody is signed in; the gateway then refuses everything. */
  readonly signedIn: SignedIn | undefined;
  readonly gateway: GatewayClient;
  /** Whether activities include those imported on the person's machine. */
  readonly hasImports: boolean;
  /** Only on the person's machine. */
  readonly ownRules?: OwnRules;
  /**
   * The address at which the person connects an account (`slack`) by their own sign-in; undefined if it works
   * otherwise.
   */
  connectAddress?(connection: string): Promise<string | undefined>;
}
