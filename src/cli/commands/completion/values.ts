/** What the shell asks the program for, since it changes. */
export const valueKinds = [
  'symbols',
  'orders',
  'threads',
  'approvals',
  'mandates',
  'schedules',
  'profiles',
  'connections',
] as const;
export type ValueKind = (typeof valueKinds)[number];

/** Of which kind a command's argument is, by the command's words. */
export const argumentKinds: Readonly<Record<string, ValueKind>> = {
  quote: 'symbols',
  'orders buy': 'symbols',
  'orders sell': 'symbols',
  'orders show': 'orders',
  'orders replace': 'orders',
  'orders cancel': 'orders',
  'threads show': 'threads',
  'threads delete': 'threads',
  resume: 'threads',
  'approvals show': 'approvals',
  'approvals wait': 'approvals',
  'approvals reconcile': 'approvals',
  'approvals cancel': 'approvals',
  'mandates show': 'mandates',
  'mandates suspend': 'mandates',
  'mandates revoke': 'mandates',
  'schedule run': 'schedules',
  'schedule remove': 'schedules',
  'schedule logs': 'schedules',
  'profile use': 'profiles',
  'profile show': 'profiles',
  'profile check': 'profiles',
  'profile remove': 'profiles',
  'profile set-store': 'profiles',
  'connections add': 'connections',
  'connections remove': 'connections',
};

/** Of which kind a flag's value is, whatever the command. */
export const flagKinds: Readonly<Record<string, ValueKind>> = {
  '--profile': 'profiles',
  '--thread': 'threads',
};
