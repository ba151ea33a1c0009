/**
 * Migrates a schema to its next version while programs use it. Never edit a released migration: databases that have
 * already run it don't run it again.
 *
 * A string is SQL that runs in one transaction and locks each table only briefly. The SQL only expands the schema, so
 * that programs of the previous version keep working. `contract` is SQL that removes something that those programs
 * need; they no longer start afterwards. `steps` run one by one, outside a transaction, and may be slow.
 */
export type Migration = string | { readonly contract: string } | { readonly steps: readonly OnlineStep[] };

/** A step that can be repeated: if a migration is interrupted, the next run begins with its first step. */
export type OnlineStep = IndexStep | BackfillStep | { readonly statement: string };

/** Creates an index without locking the table, as in `CREATE INDEX index ON on`. */
export interface IndexStep {
  readonly index: string;
  readonly on: string;
  readonly unique?: boolean;
}

/** Updates a table's rows in small batches, as in `UPDATE table SET set WHERE where`, until no row matches `where`. */
export interface BackfillStep {
  readonly table: string;
  readonly set: string;
  readonly where: string;
}

/**
 * A set of tables in a PostgreSQL schema. The login that migrates the schema owns the tables. Two roles are created
 * before the tables ({@link tenancyMigration}): `NAME_app` reads and writes the rows of one tenant, and `NAME_sweeper`
 * deletes expired rows of all tenants. Neither role can sign in. Logins are made members of them.
 */
export interface DatabaseSchema {
  /** An identifier with letters, digits and `_`. */
  readonly name: string;
  /** Oldest first. */
  readonly migrations: readonly Migration[];
}

export const appRole = (schema: string): string => `${schema}_app`;
export const sweeperRole = (schema: string): string => `${schema}_sweeper`;

/** The first statements of every schema: its roles, and the function that returns the transaction's tenant. */
export const tenancyMigration = (schema: string): string => `
  DO $$
  DECLARE wanted text;
  BEGIN
    FOREACH wanted IN ARRAY ARRAY['${appRole(schema)}', '${sweeperRole(schema)}'] LOOP
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        BEGIN
          EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
          -- Roles are shared by the whole server, so the migration of another database may have created them.
          NULL;
        END;
      END IF;
    END LOOP;
  END $$;
  GRANT USAGE ON SCHEMA ${schema} TO ${appRole(schema)}, ${sweeperRole(schema)};
  GRANT SELECT ON schema_version TO ${appRole(schema)}, ${sweeperRole(schema)};

  -- current_setting alone is not enough: after a transaction has set it, a later one on the same connection finds it empty.
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
 * Secures a table so that each row belongs to the tenant in its first column. The policy applies even to the table's
 * owner: rows of other tenants can't be read, changed or inserted, and a statement fails if no tenant is set. Primary
 * keys and unique indexes begin with `tenant`.
 * @param rights.app the application's rights, as in GRANT
 * @param rights.sweeper the sweeper's rights to the rows of all tenants
 */
export const tenantTableMigration = (
  schema: string,
  table: string,
  rights: { readonly app: string; readonly sweeper?: string },
): string => `
  ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON ${table} TO ${appRole(schema)}, CURRENT_USER
    USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
  GRANT ${rights.app} ON ${table} TO ${appRole(schema)};
  ${
    rights.sweeper === undefined
      ? ''
      : `CREATE POLICY of_all ON ${table} TO ${sweeperRole(schema)} USING (true);
  GRANT ${rights.sweeper} ON ${table} TO ${sweeperRole(schema)};`
  }
`;

/** Returns the SQL that creates the table of rate buckets. `due_at` is GCRA's theoretical arrival time. */
export const rateBucketTableMigration = (schema: string): string => `
  CREATE TABLE rate_buckets (
    tenant text NOT NULL DEFAULT current_tenant(),
    bucket text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, bucket)
  ) WITH (fillfactor = 50);
  ${tenantTableMigration(schema, 'rate_buckets', { app: 'SELECT, INSERT, UPDATE' })}
`;
