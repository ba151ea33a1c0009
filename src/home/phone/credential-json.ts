import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import { parseJson } from '../../values/parse-json.ts';

/** Schema of a base64url string. Its content is checked when the credential is verified. */
const bytes = z.string().regex(/^[A-Za-z0-9_-]*$/);

const credential = {
  id: bytes.min(1),
  rawId: bytes.min(1),
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['cross-platform', 'platform']).optional(),
};

const assertionSchema = z.lazy(() =>
  z.object({
    ...credential,
    response: z.object({
      clientDataJSON: bytes,
      authenticatorData: bytes,
      signature: bytes,
      userHandle: bytes.optional(),
    }),
  }),
);

const registrationSchema = z.lazy(() =>
  z.object({
    ...credential,
    response: z.object({
      clientDataJSON: bytes,
      attestationObject: bytes,
      transports: z.array(z.string().max(32)).max(16).optional(),
    }),
  }),
);

/** Parses a form field: a passkey's assertion (WebAuthn Level 3 §5.1.8). Returns undefined for any other content. */
export function parseAssertionField(field: unknown): AuthenticationResponseJSON | undefined {
  return readCredential(assertionSchema, field);
}

/** Parses a form field with a new passkey's registration. Returns undefined for any other content. */
export function parseRegistrationField(field: unknown): RegistrationResponseJSON | undefined {
  return readCredential(registrationSchema, field);
}

function readCredential<T>(schema: z.ZodType<object>, field: unknown): T | undefined {
  const read = schema.safeParse(parseJson(field)).data;
  return read === undefined ? undefined : ({ ...read, clientExtensionResults: {} } as T);
}
