import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { OwnRules } from '../tools/own-rules.ts';
import type { SignedInSession } from '../tools/tool.ts';
import type { Environment } from '../trading/order.ts';
import type { Proposal } from '../trading/proposal.ts';

/** The authenticated caller, over HTTP or stdio, and the services that the caller may use. */
export interface McpCaller {
  readonly sub: string;
  readonly clientId: string;
  /** Returns whether this client made the proposal. Other clients' proposals are hidden. */
  owns(proposal: Pick<Proposal, 'client' | 'requested_by'>): boolean;
  /** The granted scopes. Tools that need other scopes are hidden. */
  readonly scopes: ReadonlySet<string>;
  readonly environment: Environment;
  /** The session of the person who is signed in. If undefined, the gateway rejects every request. */
  readonly signedIn: SignedInSession | undefined;
  readonly gateway: GatewayClient;
  /** Whether activities include those that were imported on the person's machine. */
  readonly hasImports: boolean;
  /** The person's rules file. Only available on the person's machine. */
  readonly ownRules?: OwnRules;
  /** Returns the URL where the person connects an account (such as `slack`), or undefined if there is no such URL. */
  connectAddress?(connection: string): Promise<string | undefined>;
}
