import { stateSchema } from '../../store/postgres/migrations/state.ts';
import { appRole } from '../../store/postgres/schema.ts';

export const JOBS_SCHEMA = 'trade_agent_jobs';

const app = appRole(stateSchema.name);
const tenant = `${stateSchema.name}.current_tenant()`;

/**
 * The pg-boss tables with tenants' rows, and each table's column with the name of the queue. The queue's name starts
 * with the tenant.
 */
const tenantTables = { job: 'name', job_common: 'name', queue: 'name', job_dependency: 'child_name' };

/**
 * Our additions to pg-boss's tables, made after each of its migrations: the application's privileges, row-level
 * security by tenant (`tenantPolicy`), and the order of jobs with the same key.
 */
export const JOBS_SCHEMA_ADDITIONS = `
  GRANT USAGE ON SCHEMA ${JOBS_SCHEMA} TO ${app};
  GRANT SELECT, UPDATE ON ${JOBS_SCHEMA}.version TO ${app};
  GRANT SELECT, INSERT, UPDATE, DELETE ON ${JOBS_SCHEMA}.instance TO ${app};
  ${Object.entries(tenantTables).map(tenantPolicy).join('')}

  -- pg-boss's own time is the transaction's begin: of two that wait for one row's lock, the first to begin may be the second
  -- to enqueue, and two jobs of one transaction would have no order at all.
  CREATE OR REPLACE FUNCTION ${JOBS_SCHEMA}.in_order() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.created_on := clock_timestamp();
    RETURN NEW;
  END $$;
  DROP TRIGGER IF EXISTS in_order ON ${JOBS_SCHEMA}.job;
  CREATE TRIGGER in_order BEFORE INSERT ON ${JOBS_SCHEMA}.job
    FOR EACH ROW WHEN (NEW.state = 'created' AND NEW.created_on = now()) EXECUTE FUNCTION ${JOBS_SCHEMA}.in_order();
`;

function tenantPolicy([name, column]: [string, string]): string {
  const table = `${JOBS_SCHEMA}.${name}`;
  // The subquery is evaluated once per statement, not once per row.
  const isTheirs = `split_part(${column}, '/', 1) = (SELECT ${tenant})`;
  return `
  GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${app};
  ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
  DROP POLICY IF EXISTS of_tenant ON ${table};
  CREATE POLICY of_tenant ON ${table} TO ${app} USING (${isTheirs}) WITH CHECK (${isTheirs});`;
}
