export const PLANNER_NAME = 'built-in planner';
