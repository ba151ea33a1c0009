import type { Rule } from './rules-schema.ts';

/** Placeholders of message templates by rule kind, besides `{rule}` and `{severity}`. */
const placeholders: Record<Rule['kind'], readonly string[]> = {
  price: ['symbol', 'price', 'limit'],
  move: ['symbol', 'change', 'price', 'limit', 'sessions'],
  drift: ['symbol', 'weight', 'target', 'drift', 'limit'],
  concentration: ['name', 'weight', 'limit'],
  cash: ['weight', 'cash', 'limit'],
  ruin: ['equity'],
  drawdown: ['drawdown', 'limit', 'peak', 'peak_date'],
  loss: ['loss', 'fraction', 'limit'],
  stale: ['symbol', 'age', 'at'],
  open_order: ['symbol', 'order', 'age', 'id'],
  missing: ['symbol', 'qty', 'wanted'],
  closure: ['date', 'what'],
  order: ['symbol', 'price', 'limit', 'order'],
};

export function messagePlaceholders(kind: Rule['kind']): string[] {
  return ['rule', 'severity', ...placeholders[kind]];
}

export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

export function fillMessage(template: string, facts: Readonly<Record<string, string>>): string {
  return template.replace(/\{([^{}]*)\}/g, (whole, name: string) =>
    Object.hasOwn(facts, name) ? (facts[name] as string) : whole,
  );
}
