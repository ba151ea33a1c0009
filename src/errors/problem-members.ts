/** The members of a gateway's problem that are meant for programs (docs/operate/GATEWAY.md, "Problems"). */
export interface ProblemMembers {
  /** The gateway's own code, more specific than ours. */
  readonly problem?: string;
  /** `CATEGORY_CONDITION` of the first rule that refused, and of all rules that did. */
  readonly reason?: unknown;
  readonly reasons?: unknown;
  readonly limit?: unknown;
  readonly value?: unknown;
  /** Digest of the rules by which the request was decided. */
  readonly policy?: unknown;
  /** The broker's own message. */
  readonly broker_message?: unknown;
}

const problemMemberNames = ['problem', 'reason', 'reasons', 'limit', 'value', 'policy', 'broker_message'] as const;

/** Picks the members above from an error's details or from a problem. */
export function problemMembers(details: Readonly<Record<string, unknown>>): ProblemMembers {
  return Object.fromEntries(
    problemMemberNames.flatMap((name) => (details[name] === undefined ? [] : [[name, details[name]]])),
  );
}
