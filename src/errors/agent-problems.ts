/**
 * Problem codes that the agent server reports in addition to the gateway's (problem-codes.ts). Each is also a
 * `TradeAgentError` code with the same meaning.
 */
const agentProblemCodes = [
  'usage',
  'busy',
  'blocked',
  'approval_pending',
  'gateway_unreachable',
  'notice_failed',
] as const;
export type AgentProblemCode = (typeof agentProblemCodes)[number];

export function isAgentProblemCode(code: string): code is AgentProblemCode {
  return (agentProblemCodes as readonly string[]).includes(code);
}
