/*
 * States as in a condition. A database takes an index of some states for the same list of them alone, so migrations and
 * queries have these: a list is never changed, since the indexes of databases that are there would no longer be taken.
 */
export const OPEN = "'drafted', 'requested', 'approved', 'executing', 'unknown'";
/** What the person has had their say about. */
export const DECIDED = "'denied', 'executed', 'approved', 'executing', 'unknown'";
/** What the phone is told of: what it doesn't know by itself, as it does a denial. */
export const TOLD = "'executed', 'cancelled', 'expired', 'blocked', 'unknown'";
