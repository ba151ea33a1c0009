/** One version of a schema, as SQL. Never edit one that was released: databases that have it do not get it again. */
export type Migration = string;

/**
 * A set of tables in a schema of its own, with three roles, all made at its beginning ({@link tenancy}): whoever migrates owns
 * them; `NAME_app` reads and writes within a tenant; `NAME_sweeper` looks over all tenants at what is over by its time. The
 * last two can't sign in: logins are made their members.
 */
export interface Schema {
  /** A plain word: letters, digits and `_`. */
  readonly name: string;
  /** Oldest first. */
  readonly migrations: readonly Migration[];
}

export const appOf = (schema: string): string => `${schema}_app`;
export const sweeperOf = (schema: string): string => `${schema}_sweeper`;

/** The beginning of every schema: its roles, and the tenant that each transaction is of. */
export const tenancy = (schema: string): Migration => `
  DO $$
  DECLARE wanted text;
  BEGIN
    FOREACH wanted IN ARRAY ARRAY['${appOf(schema)}', '${sweeperOf(schema)}'] LOOP
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        BEGIN
          EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
          -- Roles are the whole server's: another database's migration was first.
          NULL;
        END;
      END IF;
    END LOOP;
  END $$;
  GRANT USAGE ON SCHEMA ${schema} TO ${appOf(schema)}, ${sweeperOf(schema)};
  GRANT SELECT ON schema_version TO ${appOf(schema)}, ${sweeperOf(schema)};

  -- current_setting alone is not enough: once a transaction has set it, a later one of the same connection finds it empty.
  CREATE FUNCTION current_tenant() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
  DECLARE tenant text := current_setting('ta.tenant', true);
  BEGIN
    IF tenant IS NULL OR tenant = '' THEN
      RAISE EXCEPTION 'no tenant is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN tenant;
  END $$;
`;

/**
 * Has a table's rows belong to the tenant in their first column, whoever asks, its owner too: no row of another is seen, changed or
 * written, and a statement without a tenant fails. Its key, and each unique index, begins with `tenant`.
 * @param rights.app what the application may do, as GRANT has it
 * @param rights.sweeper what the sweeper may do with everybody's rows
 */
export const tenantTable = (
  schema: string,
  table: string,
  rights: { readonly app: string; readonly sweeper?: string },
): Migration => `
  ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON ${table} TO ${appOf(schema)}, CURRENT_USER
    USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
  GRANT ${rights.app} ON ${table} TO ${appOf(schema)};
  ${
    rights.sweeper === undefined
      ? ''
      : `CREATE POLICY of_all ON ${table} TO ${sweeperOf(schema)} USING (true);
  GRANT ${rights.sweeper} ON ${table} TO ${sweeperOf(schema)};`
  }
`;

/** When the next is due at each bucket if all that was taken had come evenly (the algorithm's theoretical arrival time). */
export const rateBuckets = (schema: string): Migration => `
  CREATE TABLE rate_buckets (
    tenant text NOT NULL DEFAULT current_tenant(),
    bucket text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, bucket)
  ) WITH (fillfactor = 50);
  ${tenantTable(schema, 'rate_buckets', { app: 'SELECT, INSERT, UPDATE' })}
`;
