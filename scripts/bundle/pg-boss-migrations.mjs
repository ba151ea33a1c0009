// In place of pg-boss' own: how its tables come from one version to the next. Those of the version that this program first made
// them in (pins.mjs) come from none, so nothing is kept of the 45 before it.
const none = () => {
  throw new Error('the tables of jobs are of a version that no program of ours has made');
};

export const getAllForConfig = () => [];
export const getAll = getAllForConfig;
export { none as getMinVersion, none as migrate, none as migrateCommands, none as next, none as rollback };
