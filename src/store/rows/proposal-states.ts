/*
 * Lists of states for SQL conditions. A database uses a partial index only for exactly the same list, so migrations and
 * queries share these. Never change a list, because existing databases would no longer use their indexes.
 */
export const OPEN_STATES = "'drafted', 'requested', 'approved', 'executing', 'unknown'";
/** States of proposals that a person has decided. */
export const DECIDED_STATES = "'denied', 'executed', 'approved', 'executing', 'unknown'";
/** Outcomes of which the phone is notified. Not `denied`, because the phone sent the denial. */
export const NOTIFIED_STATES = "'executed', 'cancelled', 'expired', 'blocked', 'unknown'";
