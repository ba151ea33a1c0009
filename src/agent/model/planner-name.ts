/** What the person reads where no language model answers. */
export const PLANNER_NAME = 'built-in planner';
