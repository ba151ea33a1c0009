/** Closing prices take half the room (`packed-closes.ts`); those that are kept are read anew. */
export const sql = `
  DELETE FROM closes;
`;
