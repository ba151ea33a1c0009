import { z } from 'zod';
import { INSECURE_URL_MESSAGE, isSecureUrl } from '../../net/secure-url.ts';
import { MCP_SCOPES } from '../../oauth/scopes.ts';
import { USERNAME_PATTERN } from '../../store/home/people.ts';
import {
  clientIdSchema,
  clientKeySchemas,
  findDuplicate,
  hasOneKeySource,
  MISSING_KEY_SOURCE_ISSUE,
  requireUniqueClientIds,
} from './client-settings.ts';

const displayName = z.string().min(1).max(60);

/** Schema of an issuer, which has no query and no fragment (RFC 8414 §2). */
const issuer = z
  .string()
  .refine(isSecureUrl, INSECURE_URL_MESSAGE)
  .refine((text) => !/[?#]/.test(text), 'must have no query and no fragment');

/** An item of `companies` in home.yaml. */
const companySchema = z.strictObject({
  issuer,
  name: displayName,
  organization: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 . _ -'),
  /** The only scopes that assertions may grant. Placing an order still requires the owner's approval. */
  scopes: z
    .array(
      z.enum(MCP_SCOPES, `must be one of ${MCP_SCOPES.join(', ')}; placing an order requires the owner’s approval`),
    )
    .min(1),
  people: z
    .record(z.string().min(1).max(255), z.string().regex(USERNAME_PATTERN, 'is not a user name in this home'))
    .refine((people) => Object.keys(people).length > 0, 'must list at least one person'),
  clients: z
    .array(
      z
        .strictObject({ client_id: clientIdSchema, name: displayName, ...clientKeySchemas })
        .refine(hasOneKeySource, MISSING_KEY_SOURCE_ISSUE),
    )
    .min(1)
    .max(20),
  groups: z.boolean().default(false),
  signals: z
    .strictObject({
      audience: z.string().min(1).max(255),
      enabled: z.record(z.string().min(1).max(255), z.iso.datetime({ offset: true })).optional(),
    })
    .optional(),
});

/** Schema of `companies`. Issuers and client IDs must be unique, because they determine a token's company. */
export const companiesSchema = z
  .array(companySchema)
  .min(1)
  .max(20)
  .superRefine((companies, context) => {
    const twice = findDuplicate(companies.map((company) => company.issuer));
    if (twice !== undefined) context.addIssue({ code: 'custom', message: `${twice} is listed twice` });
    requireUniqueClientIds(
      companies.flatMap((company) => company.clients),
      context,
    );
  });
