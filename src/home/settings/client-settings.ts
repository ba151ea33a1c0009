import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../../net/secure-url.ts';
import { LOGIN_CLIENT_ID } from '../identity-provider/protocol/protocol.ts';

/** IDs of the home's own clients. The gateway's client ID is in gateway.yaml and is checked when the home starts. */
const RESERVED_IDS: readonly string[] = [LOGIN_CLIENT_ID];

/** Members that only private JWKs have (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export const clientIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 . _ -')
  .refine((id) => !RESERVED_IDS.includes(id), 'is reserved for one of the home’s own clients');

/** A JWK (RFC 7517) that must not contain private members. */
const publicKeySchema = z
  .looseObject({ kty: z.enum(['EC', 'OKP', 'RSA']) })
  .refine((key) => !PRIVATE_MEMBERS.some((member) => member in key), 'must contain only the public half of the key');

export const clientKeySchemas = {
  jwks: z.strictObject({ keys: z.array(publicKeySchema).min(1).max(10) }).optional(),
  jwks_uri: z.string().refine(isSecureUrl, INSECURE_URL_MESSAGE).optional(),
};

export function hasOneKeySource({ jwks, jwks_uri }: { jwks?: unknown; jwks_uri?: unknown }): boolean {
  return (jwks === undefined) !== (jwks_uri === undefined);
}

export const MISSING_KEY_SOURCE_ISSUE = {
  path: ['jwks'],
  error: 'is required unless "jwks_uri" is set; set exactly one of them',
};

export function requireUniqueClientIds(
  clients: readonly { readonly client_id: string }[],
  context: z.RefinementCtx,
): void {
  const twice = findDuplicate(clients.map(({ client_id }) => client_id));
  if (twice !== undefined) context.addIssue({ code: 'custom', message: `${twice} is listed twice` });
}

export function findDuplicate(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}
