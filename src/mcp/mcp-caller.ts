import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { OwnRules } from '../tools/own-rules.ts';
import type { SignedIn } from '../tools/tool.ts';
import type { Environment } from '../trading/order.ts';
import type { Proposal } from '../trading/proposal.ts';

/** Who calls, verified, and what they can reach: the same over HTTP and stdio. */
export interface McpCaller {
  readonly sub: string;
  readonly clientId: string;
  /** Whether it proposed this. What another client of the same person's proposed it never sees here. */
  owns(proposal: Pick<Proposal, 'client' | 'requested_by'>): boolean;
  /** What was granted; a tool that needs more is not there. */
  readonly scopes: ReadonlySet<string>;
  readonly environment: Environment;
  /** Undefined where nobody is signed in: then the gateway says no to everything. */
  readonly signedIn: SignedIn | undefined;
  /** The gateway's API, as this caller. */
  readonly gateway: GatewayClient;
  /** Whether its activities have what the person imported: that is kept on their own machine, and nowhere else. */
  readonly hasImports: boolean;
  /** The person's rules file, where this runs on their machine. */
  readonly ownRules?: OwnRules;
  /**
   * Where the person connects an account elsewhere (`slack`), by their own sign-in; undefined where that is done in another
   * way.
   */
  connectAddress?(connection: string): Promise<string | undefined>;
}
