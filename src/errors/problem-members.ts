/** The members of a gateway's problem besides its text (docs/operate/GATEWAY.md, "Problems"), for programs. */
export interface ProblemMembers {
  /** The gateway's own code, more specific than ours. */
  readonly problem?: string;
  /** `CATEGORY_CONDITION` of the first rule that refused, and of all rules that did. */
  readonly reason?: unknown;
  readonly reasons?: unknown;
  readonly limit?: unknown;
  readonly value?: unknown;
  /** Digest of the rules that it was decided by. */
  readonly policy?: unknown;
  /** The broker's own message. */
  readonly broker_message?: unknown;
}

const problemMemberNames = ['problem', 'reason', 'reasons', 'limit', 'value', 'policy', 'broker_message'] as const;

/** Returns these members of an error's details or of a problem, and no others. */
export function problemMembers(details: Readonly<Record<string, unknown>>): ProblemMembers {
  return Object.fromEntries(
    problemMemberNames.flatMap((name) => (details[name] === undefined ? [] : [[name, details[name]]])),
  );
}
