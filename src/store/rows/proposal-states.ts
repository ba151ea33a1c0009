/*
 * Lists of states for SQL conditions. A database uses a partial index only if the query has exactly the same list as
 * the index, so migrations and queries share these constants. Never change a list, because existing databases could
 * then no longer use their indexes.
 */
export const OPEN_STATES_SQL = "'drafted', 'requested', 'approved', 'executing', 'unknown'";
/** States of proposals that a person has approved or denied. */
export const DECIDED_STATES_SQL = "'denied', 'executed', 'approved', 'executing', 'unknown'";
/** States that the phone is notified of. `denied` is missing, because the phone itself sent the denial. */
const NOTIFIED_STATES_SQL = "'executed', 'cancelled', 'expired', 'blocked', 'unknown'";
/** Condition for proposals whose outcome the phone has not been notified of. */
export const PENDING_NOTICE_SQL = `auth_req_hash IS NOT NULL AND told < version AND state IN (${NOTIFIED_STATES_SQL})`;
