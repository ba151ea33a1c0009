// Replaces pg-boss' migrations. This program only ever created the tables in one version (pins.mjs), so the 45 earlier
// migrations are not needed.
const none = () => {
  throw new Error('the tables of jobs are of a version that no program of ours has made');
};

export const getAllForConfig = () => [];
export const getAll = getAllForConfig;
export { none as getMinVersion, none as migrate, none as migrateCommands, none as next, none as rollback };
