/** The members of a gateway's problem that are meant for programs (docs/operate/GATEWAY.md, "Problems"). */
export interface ProblemMembers {
  /** The gateway's code, which is more specific than the code of the `TradeAgentError`. */
  readonly problem?: string;
  /** The first rule that refused the request, as `CATEGORY_CONDITION`. `reasons` has all rules that refused it. */
  readonly reason?: unknown;
  readonly reasons?: unknown;
  readonly limit?: unknown;
  readonly value?: unknown;
  /** Digest of the policy that decided the request. */
  readonly policy?: unknown;
  readonly broker_message?: unknown;
}

const problemMemberNames = ['problem', 'reason', 'reasons', 'limit', 'value', 'policy', 'broker_message'] as const;

export function pickProblemMembers(details: Readonly<Record<string, unknown>>): ProblemMembers {
  return Object.fromEntries(
    problemMemberNames.flatMap((name) => (details[name] === undefined ? [] : [[name, details[name]]])),
  );
}
