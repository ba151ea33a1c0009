import { z } from 'zod';
import { accountEntrySchema } from '../../trading/account-entry.ts';
import { environments } from '../../trading/order.ts';
import { user } from './parts.ts';

/** A company's identity provider, and the client that it knows. */
export const companyClient = z.object({ issuer: z.string(), client_id: z.string() });
const companyIssuer = z
  .string()
  .nullable()
  .describe("the issuer of the person's company, where its word lets them in");

/** Who is signed in, and how they come in and out. */
export const signInResults = {
  login: z.object({
    user,
    profile: z.string(),
    environment: z.enum(environments),
    company: companyIssuer,
  }),
  'company-key': z.object({
    profile: z.string(),
    company: companyClient,
    key: z.record(z.string(), z.string()).describe('the public half, a JWK (RFC 7517)'),
    home_yaml: z.string().describe('what the home must list'),
  }),
  logout: z.object({
    user: z.object({ sub: z.string(), name: z.string().nullable() }).nullable(),
    revoked: z.boolean().describe('whether the provider has ended the session'),
    unrevoked: z
      .array(z.object({ token: z.enum(['refresh_token', 'access_token']), reason: z.string() }))
      .describe('tokens that may still be good at the provider; all are deleted here'),
    warning: z.string().nullable(),
  }),
  whoami: z.object({
    user,
    profile: z.string(),
    environment: z.enum(environments),
    issuer: z.string(),
    company: companyIssuer,
    verified: z.boolean().describe('whether the provider was asked just now (--verify)'),
    accounts: z.array(accountEntrySchema.unwrap()).nullable().describe('null where the gateway did not say'),
  }),
};
