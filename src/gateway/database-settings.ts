import { z } from 'zod';

/** Where a gateway keeps what it keeps, if not in its own folder: a PostgreSQL database, which several gateways may have. */
export const databaseSchema = z
  .strictObject({
    /** Holds the database's address: a path, or a name in the folder. Its owner's alone, since it may hold a password. */
    url_file: z.string().min(1).optional(),
    /** Instead: the name of the environment variable that does. */
    url_env: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
      .optional(),
    /** Whose part of it: gateways of one tenant have everything in common, and nothing with another's. */
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -')
      .default('default'),
  })
  .refine(({ url_file, url_env }) => (url_file === undefined) !== (url_env === undefined), {
    error: 'must say where the address is: url_file or url_env, one of them',
  });
export type DatabaseSettings = z.output<typeof databaseSchema>;
