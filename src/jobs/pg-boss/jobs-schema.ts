import { stateSchema } from '../../store/postgres/migrations/state.ts';
import { appOf } from '../../store/postgres/schema.ts';

/** Where pg-boss has its tables: in the server's database, and a schema of their own. */
export const JOBS_SCHEMA = 'trade_agent_jobs';

const app = appOf(stateSchema.name);
const tenant = `${stateSchema.name}.current_tenant()`;

/** pg-boss' tables that have rows of a tenant, and the column with the queue's name, which begins with the tenant. */
const ofTenants = { job: 'name', job_common: 'name', queue: 'name', job_dependency: 'child_name' };

/**
 * What is ours in pg-boss' tables, put there anew each time after pg-boss' own migration: what the application may do,
 * that it sees its tenant's jobs alone, as in every table (`tenantTable`), and by what jobs of a key are put in order.
 */
export const ADDITIONS = `
  GRANT USAGE ON SCHEMA ${JOBS_SCHEMA} TO ${app};
  GRANT SELECT, UPDATE ON ${JOBS_SCHEMA}.version TO ${app};
  GRANT SELECT, INSERT, UPDATE, DELETE ON ${JOBS_SCHEMA}.instance TO ${app};
  ${Object.entries(ofTenants).map(ofTenant).join('')}

  -- pg-boss' own is when the transaction began: of two who wait for one row's lock, the first to begin may be the second
  -- to enqueue, and one that enqueues two has them in no order at all.
  CREATE OR REPLACE FUNCTION ${JOBS_SCHEMA}.in_order() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.created_on := clock_timestamp();
    RETURN NEW;
  END $$;
  DROP TRIGGER IF EXISTS in_order ON ${JOBS_SCHEMA}.job;
  CREATE TRIGGER in_order BEFORE INSERT ON ${JOBS_SCHEMA}.job
    FOR EACH ROW WHEN (NEW.state = 'created' AND NEW.created_on = now()) EXECUTE FUNCTION ${JOBS_SCHEMA}.in_order();
`;

function ofTenant([name, column]: [string, string]): string {
  const table = `${JOBS_SCHEMA}.${name}`;
  // Looked up once a statement, not once a row.
  const isTheirs = `split_part(${column}, '/', 1) = (SELECT ${tenant})`;
  return `
  GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${app};
  ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS of_tenant ON ${table};
  CREATE POLICY of_tenant ON ${table} TO ${app} USING (${isTheirs}) WITH CHECK (${isTheirs});`;
}
