/** Lets a client act for people of these groups at one authorization server. */
export interface CompanyRule {
  readonly client_id: string;
  /** The client's id there (ID-JAG, "Cross-Domain Client ID Handling"), if different. */
  readonly client_id_there?: string;
  readonly audience: string;
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
  readonly groups?: readonly string[];
  readonly acr?: readonly string[];
  readonly actor?: Readonly<Record<string, unknown>>;
}

export interface AskedExchange {
  readonly clientId: string;
  readonly audience: string | undefined;
  readonly resource: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly groups: readonly string[];
  readonly acr: string | undefined;
}

/** `error` as in RFC 6749 §5.2, RFC 8693 §2.2.2 and the draft's "Step-Up Authentication". */
type Refusal = 'invalid_target' | 'invalid_scope' | 'access_denied' | 'insufficient_user_authentication';
export type Ruling =
  | { readonly rule: CompanyRule; readonly scopes: readonly string[] }
  | { readonly error: Refusal; readonly reason: string };

/** The first rule for this client, audience and one of the person's groups decides. */
export function rule(rules: readonly CompanyRule[], asked: AskedExchange): Ruling {
  const there = rules.filter(
    ({ client_id, audience }) => client_id === asked.clientId && audience === asked.audience,
  );
  if (there.length === 0) return { error: 'invalid_target', reason: 'the client may not act there' };
  const found = there.find(({ groups }) => groups?.some((group) => asked.groups.includes(group)) ?? true);
  if (found === undefined) return { error: 'access_denied', reason: 'the person is in none of the groups' };
  if (asked.resource !== undefined && !found.resources.includes(asked.resource)) {
    return { error: 'invalid_target', reason: 'the client may not act at that resource' };
  }
  const scopes = asked.scopes?.filter((scope) => found.scopes.includes(scope)) ?? found.scopes;
  if (scopes.length === 0) return { error: 'invalid_scope', reason: 'nothing of it is let through' };
  if (found.acr !== undefined && !found.acr.includes(asked.acr ?? '')) {
    const reason = `the sign-in must be of ${found.acr.join(' or ')}`;
    return { error: 'insufficient_user_authentication', reason };
  }
  return { rule: found, scopes };
}
