/** One of the company's own: a client may act for people of these groups at one authorization server elsewhere. */
export interface CompanyRule {
  /** The client, as the company knows it. */
  readonly client_id: string;
  /** How the authorization server there knows the same client (ID-JAG, "Cross-Domain Client ID Handling"); by the same id unless said otherwise. */
  readonly client_id_there?: string;
  /** The authorization server's issuer. */
  readonly audience: string;
  /** Resources (RFC 8707) behind it that may be named. */
  readonly resources: readonly string[];
  /** The most that is let through; what was asked for beyond it is left out. */
  readonly scopes: readonly string[];
  /** The person must be in one of them; anybody will do where it is absent. */
  readonly groups?: readonly string[];
  /** How strong the sign-in must have been: one of these (`acr`, OpenID Connect Core §2). */
  readonly acr?: readonly string[];
  /** Who acts for the person, where the assertion is to say it (`act`, RFC 8693 §4.1). */
  readonly actor?: Readonly<Record<string, unknown>>;
}

/** What a client asks for, and for whom. */
export interface AskedExchange {
  readonly clientId: string;
  readonly audience: string | undefined;
  readonly resource: string | undefined;
  /** Undefined: all that the rule lets through. */
  readonly scopes: readonly string[] | undefined;
  readonly groups: readonly string[];
  readonly acr: string | undefined;
}

export type Ruling =
  | { readonly rule: CompanyRule; readonly scopes: readonly string[] }
  /** `error` as RFC 6749 §5.2, RFC 8693 §2.2.2 and the draft's "Step-Up Authentication" have it. */
  | {
      readonly error:
        | 'invalid_target'
        | 'invalid_scope'
        | 'access_denied'
        | 'insufficient_user_authentication';
      readonly reason: string;
    };

/** What the company says to an exchange: the first rule that is about this client, this audience and one of the person's groups. */
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
