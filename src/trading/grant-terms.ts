import { z } from 'zod';

/** The terms of a grant, and how long it lasts. The statement’s digest covers every member. */
export const grantTermsSchema = z.lazy(() =>
  z.strictObject({
    /**
     * `device`: a sign-in by device code, even to a server that may work while the person is away. `agent`: an agent
     * that was allowed on the consent page. `registration`: one app that may register to send the person requests.
     * `recovery_code`: a code that signs a browser in to view and deny requests. `connection`: the home's access to the
     * person's account at a third party; `client`, `resources` and `scopes` are then the third party's.
     */
    kind: z.enum(['device', 'agent', 'registration', 'recovery_code', 'connection']),
    /** The person who grants the access. */
    sub: z.string(),
    /** The client's id; null if the client is not known yet. */
    client: z.string().nullable(),
    /** The name that the client gave itself, unverified. */
    client_name: z.string().nullable(),
    scopes: z.array(z.string()),
    /** The APIs (RFC 8707) that accept the client's tokens. */
    resources: z.array(z.string()),
    /** A client acts for the person, so its access covers all of the person's accounts. */
    accounts: z.literal('all'),
    /** The device or program that asked, or the address to which the client's code is sent. Unverified. */
    from: z.string().nullable(),
    /** When the access ends; null if it ends only when the person removes it or issues another recovery code. */
    ends_at: z.iso.datetime({ precision: 0 }).nullable(),
  }),
);
export type GrantTerms = z.output<typeof grantTermsSchema>;
