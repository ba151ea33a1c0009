/** What a problem of the gateway's says beside its sentence (docs/operate/GATEWAY.md, "Problems"), as programs read it. */
export interface ProblemMembers {
  /** The gateway's own code, finer than ours. */
  readonly problem?: string;
  /** `CATEGORY_CONDITION` of the first rule that said no, and of all that did. */
  readonly reason?: unknown;
  readonly reasons?: unknown;
  readonly limit?: unknown;
  readonly value?: unknown;
  /** Digest of the rules that it was decided by. */
  readonly policy?: unknown;
  /** The broker's own words. */
  readonly broker_message?: unknown;
}

const problemMemberNames = [
  'problem',
  'reason',
  'reasons',
  'limit',
  'value',
  'policy',
  'broker_message',
] as const;

/** These members of an error's details, or of a problem, and no others. */
export function problemMembers(details: Readonly<Record<string, unknown>>): ProblemMembers {
  return Object.fromEntries(
    problemMemberNames.flatMap((name) => (details[name] === undefined ? [] : [[name, details[name]]])),
  );
}
