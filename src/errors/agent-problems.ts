/**
 * Codes with which a remote agent refuses, besides the gateway's own (problem-codes.ts). They are error codes of this program,
 * and mean the same to the caller.
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

export function isAgentProblem(code: string): code is AgentProblemCode {
  return (agentProblemCodes as readonly string[]).includes(code);
}
