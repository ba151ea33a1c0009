import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../../net/secure-url.ts';
import { LOGIN_CLIENT_ID } from '../identity-provider/protocol/protocol.ts';

/** Of the home's own; its gateway's id stands in gateway.yaml, and is looked at when it is served. */
const RESERVED_IDS: readonly string[] = [LOGIN_CLIENT_ID];

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export const clientId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -')
  .refine((id) => !RESERVED_IDS.includes(id), 'is the id of one of the home’s own');

/** RFC 7517: only the public half of a key has any business here. */
const publicKeySchema = z
  .looseObject({ kty: z.enum(['EC', 'OKP', 'RSA']) })
  .refine(
    (key) => !PRIVATE_MEMBERS.some((member) => member in key),
    'must be the public half of the key alone',
  );

/** What a client proves itself by: its public keys, or where they are. */
export const clientKeys = {
  jwks: z.strictObject({ keys: z.array(publicKeySchema).min(1).max(10) }).optional(),
  jwks_uri: z.string().refine(isSecureUrl, INSECURE_URL).optional(),
};

export function hasOneKeySource({ jwks, jwks_uri }: { jwks?: unknown; jwks_uri?: unknown }): boolean {
  return (jwks === undefined) !== (jwks_uri === undefined);
}

export const ONE_KEY_SOURCE = { path: ['jwks'], error: 'is needed, or "jwks_uri": one of the two' };

export function namesEachOnce(
  clients: readonly { readonly client_id: string }[],
  context: z.RefinementCtx,
): void {
  const twice = firstTwice(clients.map(({ client_id }) => client_id));
  if (twice !== undefined) context.addIssue({ code: 'custom', message: `${twice} is there twice` });
}

export function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}
