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

/** Returns the tools that the caller's scopes allow. Omits tools that need `ownRules` if the caller has none. */
export function listToolsForCaller(
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

export function isMcpToolName(name: string): boolean {
  return mcpTools.some((tool) => tool.name === name);
}

/** Returns a tool by name. @throws {TypeError} if there is none */
export function requireMcpTool(name: string): McpTool {
  const tool = mcpTools.find((one) => one.name === name);
  if (tool === undefined) throw new TypeError(`there is no tool ${name}`);
  return tool;
}
