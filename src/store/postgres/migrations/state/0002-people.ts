import { appOf, type Migration, tenantTable } from '../../schema.ts';

/** The person of the tenant that each transaction is of, beside the tenant (`personDatabase`). */
export const people = (): Migration => `
  CREATE FUNCTION current_person() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
  DECLARE person text := current_setting('ta.person', true);
  BEGIN
    IF person IS NULL OR person = '' THEN
      RAISE EXCEPTION 'no person is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN person;
  END $$;
`;

/** The first columns of a table whose rows are one person's, and of its key. */
export const PERSON_COLUMNS =
  'tenant text NOT NULL DEFAULT current_tenant(), person text NOT NULL DEFAULT current_person()';

/**
 * A table that a sweep of the tenant sees whole, and a unit of work of one person's their own rows alone: it holds times, limits
 * and ids, and nothing else of what anybody does.
 */
export const sweptTable = (schema: string, table: string, rights: { readonly app: string }): Migration => `
  ${tenantTable(schema, table, rights)}
  CREATE POLICY of_person ON ${table} AS RESTRICTIVE TO ${appOf(schema)}, CURRENT_USER
    USING (coalesce(current_setting('ta.person', true), '') IN ('', person))
    WITH CHECK (coalesce(current_setting('ta.person', true), '') IN ('', person));
`;

/**
 * Has a table's rows be seen and written by their one person alone, within the tenant: a second policy, which must hold as well.
 * What people call a thing (a thread, an account) is therefore each person's own.
 */
export const personTable = (schema: string, table: string, rights: { readonly app: string }): Migration => `
  ${tenantTable(schema, table, rights)}
  CREATE POLICY of_person ON ${table} AS RESTRICTIVE TO ${appOf(schema)}, CURRENT_USER
    USING (person = current_person()) WITH CHECK (person = current_person());
`;
