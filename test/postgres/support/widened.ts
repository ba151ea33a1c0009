import { migrateSchema } from '../../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../../src/store/postgres/migrations/gateway.ts';
import type { DatabaseSchema } from '../../../src/store/postgres/schema.ts';

/** A gateway's schema as a later version might have it: a column more, filled for all rows, and an index over it. */
export const widened: DatabaseSchema = {
  ...gatewaySchema,
  migrations: [
    ...gatewaySchema.migrations,
    `ALTER TABLE proposals ADD COLUMN remark text;
     -- By itself, so that rows that are there have none, and those that the older program writes have one.
     ALTER TABLE proposals ALTER COLUMN remark SET DEFAULT 'none'`,
    {
      steps: [
        { table: 'proposals', set: `remark = 'of ' || id`, where: 'remark IS NULL' },
        { index: 'proposals_by_remark', on: 'proposals (tenant, remark)' },
      ],
    },
  ],
};

/** Run as a program of its own, it migrates the database at ADDRESS: to be killed. */
if (import.meta.main) await migrateSchema(process.env.ADDRESS ?? '', widened);
