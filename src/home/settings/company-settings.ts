import { z } from 'zod';
import { INSECURE_URL, isSecureUrl } from '../../net/secure-url.ts';
import { MCP_SCOPES } from '../../oauth/scopes.ts';
import { USERNAME } from '../../store/home/people.ts';
import {
  clientId,
  clientKeys,
  firstTwice,
  hasOneKeySource,
  namesEachOnce,
  ONE_KEY_SOURCE,
} from './client-settings.ts';

const shownName = z.string().min(1).max(60);

/** RFC 8414 §2: an issuer has neither query nor fragment. */
const issuer = z
  .string()
  .refine(isSecureUrl, INSECURE_URL)
  .refine((text) => !/[?#]/.test(text), 'must have no query and no fragment');

/** One of `companies` in home.yaml: whose word about which people is taken, and what it is good for. */
const companySchema = z.strictObject({
  issuer,
  name: shownName,
  organization: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 . _ -'),
  /** What anybody's agent may have at most: to look, to cancel, and to ask. An order is placed by its owner's approval alone. */
  scopes: z
    .array(
      z.enum(
        MCP_SCOPES,
        `must be one of ${MCP_SCOPES.join(', ')}: placing an order takes its owner’s approval`,
      ),
    )
    .min(1),
  people: z
    .record(z.string().min(1).max(255), z.string().regex(USERNAME, 'is no user name of this home'))
    .refine((people) => Object.keys(people).length > 0, 'names nobody'),
  clients: z
    .array(
      z
        .strictObject({ client_id: clientId, name: shownName, ...clientKeys })
        .refine(hasOneKeySource, ONE_KEY_SOURCE),
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

/** Tokens are told apart by who issued what they were issued for, and by whose client came: neither may be two. */
export const companiesSchema = z
  .array(companySchema)
  .min(1)
  .max(20)
  .superRefine((companies, context) => {
    const twice = firstTwice(companies.map((company) => company.issuer));
    if (twice !== undefined) context.addIssue({ code: 'custom', message: `${twice} is there twice` });
    namesEachOnce(
      companies.flatMap((company) => company.clients),
      context,
    );
  });
