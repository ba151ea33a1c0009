import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { OwnRules } from '../tools/own-rules.ts';
import type { SignedInSession } from '../tools/tool.ts';
import type { Environment } from '../trading/order.ts';
import type { Proposal } from '../trading/proposal.ts';

/** The authenticated caller and the services available to them, over HTTP or stdio. */
export interface McpCaller {
  readonly sub: string;
  readonly clientId: string;
  /** Whether this client proposed the proposal. Other clients' proposals are hidden. */
  owns(proposal: Pick<Proposal, 'client' | 'requested_by'>): boolean;
  /** The granted scopes. Tools that need others are hidden. */
  readonly scopes: ReadonlySet<string>;
  readonly environment: Environment;
  /** Undefined if nobody is signed in. The gateway then rejects every request. */
  readonly signedIn: SignedInSession | undefined;
  readonly gateway: GatewayClient;
  /** Whether activities include those that were imported on the person's machine. */
  readonly hasImports: boolean;
  /** Only available on the person's machine. */
  readonly ownRules?: OwnRules;
  /** Returns the URL where the person connects an account (such as `slack`), or undefined if there is none. */
  connectAddress?(connection: string): Promise<string | undefined>;
}
