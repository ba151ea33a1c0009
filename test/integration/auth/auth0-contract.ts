import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';

/** One way a request departs from what Auth0 documents; none may ever be seen. */
export class Breach extends Error {
  override name = 'Breach';
}

export type Form = Readonly<Record<string, string>>;

/** Fields a request may have; those with a check must have it pass, and be there unless marked optional. */
export type FieldRules = Readonly<
  Record<string, { readonly check: (value: string) => boolean; readonly optional?: true }>
>;

/** Holds a request against its rules, field by field. @throws {Breach} naming the field */
export function requireFields(endpoint: string, form: Form, rules: FieldRules): void {
  for (const [name, { check, optional }] of Object.entries(rules)) {
    const value = form[name];
    if (value === undefined) {
      if (optional) continue;
      throw new Breach(`${endpoint}: ${name} is missing`);
    }
    if (!check(value)) throw new Breach(`${endpoint}: ${name} is wrong: ${value}`);
  }
  const unknown = Object.keys(form).filter((name) => !Object.hasOwn(rules, name));
  if (unknown.length > 0) throw new Breach(`${endpoint}: ${unknown.join(', ')} not documented`);
}

export const is = (wanted: string) => ({ check: (value: string) => value === wanted });
export const matches = (pattern: RegExp) => ({ check: (value: string) => pattern.test(value) });
export const some = matches(/./);

/** `private_key_jwt` as Auth0 takes it: RSA alone, no key id but Auth0's own, at most five minutes, `aud` the tenant. */
export async function requireAssertion(
  form: Form,
  client: { readonly clientId: string; readonly key: JWK; readonly issuer: string },
): Promise<void> {
  const keys = createLocalJWKSet({ keys: [{ ...client.key, kid: 'kid-that-auth0-made' }] });
  const { payload, protectedHeader } = await jwtVerify(form.client_assertion ?? '', keys, {
    algorithms: ['RS256', 'RS384', 'PS256'],
    issuer: client.clientId,
    subject: client.clientId,
    audience: client.issuer,
    requiredClaims: ['exp', 'jti'],
    maxTokenAge: 300,
  }).catch((error: unknown) => {
    throw new Breach(`client_assertion: ${(error as Error).message}`);
  });
  if (protectedHeader.kid !== undefined) throw new Breach('client_assertion: a kid that is not Auth0’s');
  if (Number(payload.exp) - Number(payload.iat) > 300) throw new Breach('client_assertion: lives too long');
}

export const assertionFields: FieldRules = {
  client_assertion_type: is('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  client_assertion: some,
};

/** `login_hint` of /bc-authorize: exactly these three members. */
export const loginHint = (issuer: string, sub: string) => ({
  check: (value: string) => {
    const hint = JSON.parse(value) as Record<string, unknown>;
    return (
      Object.keys(hint).sort().join() === 'format,iss,sub' &&
      hint.format === 'iss_sub' &&
      hint.iss === issuer &&
      hint.sub === sub
    );
  },
});

/** One object, of a type registered for the API; its content is the API's own business. */
export const details = (types: readonly string[]) => ({
  check: (value: string) => {
    const list = JSON.parse(value) as { type?: string }[];
    return list.length === 1 && types.includes(list[0]?.type ?? '');
  },
});
