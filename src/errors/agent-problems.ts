/**
 * What an agent that runs elsewhere refuses with beside the gateway's own codes (problem-codes.ts): errors of the program's own,
 * by their own names, which mean the same to the caller.
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
