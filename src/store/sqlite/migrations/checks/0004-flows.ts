/**
 * The flows known when the mark was last brought up. Activities are read anew, since they are dated otherwise now, and
 * prices too, since they are adjusted by splits.
 */
export const sql = `
  ALTER TABLE high_water ADD COLUMN flows TEXT;
  DELETE FROM activities;
  DELETE FROM closes;
`;
