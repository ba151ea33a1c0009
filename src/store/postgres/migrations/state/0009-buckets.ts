import { type Migration, tenantTable } from '../../schema.ts';

/** When the next is due at each bucket if all that was taken had come evenly (the algorithm's theoretical arrival time). */
export const buckets = (schema: string): Migration => `
  CREATE TABLE rate_buckets (
    tenant text NOT NULL DEFAULT current_tenant(),
    bucket text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, bucket)
  ) WITH (fillfactor = 50);
  ${tenantTable(schema, 'rate_buckets', { app: 'SELECT, INSERT, UPDATE' })}
`;
