import { sql as firings } from './checks/0001-firings.ts';
import { sql as notices } from './checks/0002-notices.ts';
import { sql as activities } from './checks/0003-activities.ts';
import { sql as flows } from './checks/0004-flows.ts';
import { sql as imports } from './checks/0005-imports.ts';
import { sql as packedCloses } from './checks/0006-packed-closes.ts';

/** The versions of a profile's database of checks, oldest first. */
export const checkMigrations = [firings, notices, activities, flows, imports, packedCloses];
