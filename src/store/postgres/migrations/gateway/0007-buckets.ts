/** As the agent's. */
export { buckets as sql } from '../state/0009-buckets.ts';
