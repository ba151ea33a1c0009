export interface CompanyRule {
  readonly client_id: string;
  /** The client's ID at the authorization server, if different (ID-JAG, "Cross-Domain Client ID Handling"). */
  readonly client_id_there?: string;
  readonly audience: string;
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
  readonly groups?: readonly string[];
  readonly acr?: readonly string[];
  readonly actor?: Readonly<Record<string, unknown>>;
}

export interface ExchangeRequest {
  readonly clientId: string;
  readonly audience: string | undefined;
  readonly resource: string | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly groups: readonly string[];
  readonly acr: string | undefined;
}

/** Error codes from RFC 6749 §5.2, RFC 8693 §2.2.2 and the ID-JAG draft's "Step-Up Authentication". */
type RulingError = 'invalid_target' | 'invalid_scope' | 'access_denied' | 'insufficient_user_authentication';
export type ExchangeRuling =
  | { readonly rule: CompanyRule; readonly scopes: readonly string[] }
  | { readonly error: RulingError; readonly reason: string };

/** Applies the first rule that matches the client, the audience and one of the person's groups. */
export function applyCompanyRules(rules: readonly CompanyRule[], asked: ExchangeRequest): ExchangeRuling {
  const there = rules.filter(({ client_id, audience }) => client_id === asked.clientId && audience === asked.audience);
  if (there.length === 0) return { error: 'invalid_target', reason: 'the client is not allowed for that audience' };
  const found = there.find(({ groups }) => groups?.some((group) => asked.groups.includes(group)) ?? true);
  if (found === undefined) return { error: 'access_denied', reason: 'the person is not in any allowed group' };
  if (asked.resource !== undefined && !found.resources.includes(asked.resource)) {
    return { error: 'invalid_target', reason: 'the client is not allowed for that resource' };
  }
  const scopes = asked.scopes?.filter((scope) => found.scopes.includes(scope)) ?? found.scopes;
  if (scopes.length === 0) return { error: 'invalid_scope', reason: 'none of the requested scopes is allowed' };
  if (found.acr !== undefined && !found.acr.includes(asked.acr ?? '')) {
    const reason = `the sign-in must have acr ${found.acr.join(' or ')}`;
    return { error: 'insufficient_user_authentication', reason };
  }
  return { rule: found, scopes };
}
