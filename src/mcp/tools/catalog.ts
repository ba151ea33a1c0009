import type { McpCaller } from '../mcp-caller.ts';
import { agentTools } from './agent-tools.ts';
import { cancelOrder } from './cancel-order.ts';
import { checkApproval } from './check-approval.ts';
import { closePosition } from './close-position.ts';
import { listProposals } from './list-proposals.ts';
import type { McpTool } from './mcp-tool.ts';
import { placeOrder } from './place-order.ts';
import { replaceOrder } from './replace-order.ts';
import { sendSummary } from './send-summary.ts';
import { withdrawProposal } from './withdraw-proposal.ts';

/** Everything that a client can ask for. */
const mcpTools: readonly McpTool[] = [
  ...agentTools,
  listProposals,
  checkApproval,
  placeOrder,
  closePosition,
  replaceOrder,
  sendSummary,
  withdrawProposal,
  cancelOrder,
];

/** Those that a caller has by their scopes, and where they are; only what reads, where nothing else is wanted. */
export function toolsFor(
  { scopes, ownRules }: Pick<McpCaller, 'scopes' | 'ownRules'>,
  readOnly: boolean,
): McpTool[] {
  return mcpTools.filter(
    (tool) =>
      (!readOnly || tool.effect === 'reads') &&
      (tool.needsOwnRules !== true || ownRules !== undefined) &&
      tool.scopes.every((scope) => scopes.has(scope)),
  );
}

/** Whether there is such a tool, for anybody. */
export function isTool(name: string): boolean {
  return mcpTools.some((tool) => tool.name === name);
}
