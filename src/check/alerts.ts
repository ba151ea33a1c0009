import type { Document } from 'yaml';
import { parseYamlDocument } from '../config/yaml-file.ts';
import { TradeAgentError } from '../errors/errors.ts';
import type { AlertView } from '../tools/alerts.ts';
import { type Alert, alertCondition } from '../trading/alert.ts';
import { Dec } from '../trading/decimal.ts';
import { defined } from '../values/defined.ts';
import { parseRules } from './load-rules.ts';
import type { Rule } from './rules-schema.ts';

const FILE_HEADER =
  '# Rules managed by "trade-agent alert". You can edit them like any rules file (docs/guide/CHECKS.md).\n';

export async function parseAlerts(text: string, file: string): Promise<AlertView[]> {
  const { rules } = await parseRules(text, file);
  return rules.flatMap((rule) => {
    const alert = toAlert(rule);
    if (alert === undefined) return [];
    const snoozed_until = rule.snooze === undefined ? null : new Date(rule.snooze).toISOString();
    return [{ name: rule.name, alert, enabled: rule.enabled, snoozed_until }];
  });
}

/** Converts a price rule, or a rule about one symbol's daily change in one direction, to an alert. */
function toAlert(rule: Rule): Alert | undefined {
  if (rule.kind === 'price') {
    const { symbol, above, below } = rule;
    return { symbol, ...defined({ above, below }) };
  }
  if (rule.kind !== 'move' || rule.sessions !== 1 || rule.direction === 'either') return undefined;
  const [symbol, ...others] = rule.symbols === 'held' ? [] : rule.symbols;
  if (symbol === undefined || others.length > 0) return undefined;
  const by = `${new Dec(rule.by).mul(100).toFixed()}%`;
  return { symbol, ...(rule.direction === 'up' ? { rises_by: by } : { falls_by: by }) };
}

function toRule(name: string, alert: Alert): Record<string, unknown> {
  const { symbol } = alert;
  const { condition, limit } = alertCondition(alert);
  if (condition === 'above' || condition === 'below') return { name, kind: 'price', symbol, [condition]: limit };
  const direction = condition === 'rises_by' ? 'up' : 'down';
  return { name, kind: 'move', symbols: [symbol], by: limit, direction };
}

async function withoutRules(text: string, file: string, names: readonly string[]): Promise<string> {
  const { document, content } = await parseYamlDocument(text, file);
  const rules = (content as { rules?: { name?: unknown }[] } | undefined)?.rules ?? [];
  // Deletes from the end, so that the indexes of earlier rules stay valid.
  for (const [at, { name }] of [...rules.entries()].reverse()) {
    if (names.includes(String(name))) document.deleteIn(['rules', at]);
  }
  return validatedText(document, file);
}

/** Returns the changed file's text. Throws if it is invalid, so that an invalid file is never written. */
async function validatedText(document: Document, file: string): Promise<string> {
  const text = document.toString({ lineWidth: 0 });
  await parseRules(text, file);
  return text;
}

function isSame(one: Alert, two: Alert): boolean {
  const [a, b] = [alertCondition(one), alertCondition(two)];
  const value = (limit: string) => new Dec(limit.replace('%', ''));
  return one.symbol === two.symbol && a.condition === b.condition && value(a.limit).eq(value(b.limit));
}

/** Returns an unused name for an alert, such as `aapl-below-180` or `aapl-below-180-2`. */
function freeName(alert: Alert, rules: readonly Rule[]): string {
  const { condition, limit } = alertCondition(alert);
  const plain = `${alert.symbol}-${condition}-${limit}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '')
    .slice(0, 44);
  const taken = new Set(rules.map(({ name }) => name));
  const names = [plain, ...Array.from({ length: rules.length }, (_, index) => `${plain}-${index + 2}`)];
  const free = names.find((name) => !taken.has(name));
  if (free !== undefined) return free;
  throw new TradeAgentError('invalid_config', `can't name the alert: ${plain} and all its numbered variants are taken`);
}

/**
 * Adds an alert to the text of a rules file. Returns the text unchanged if it already has the alert.
 * @throws {TradeAgentError} `blocked` if there would be too many alerts (more than `most`); `invalid_config` if the
 * file is invalid before or after the change
 */
export async function addAlert(
  before: string,
  file: string,
  alert: Alert,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly text: string; readonly added: AlertView; readonly isNew: boolean }> {
  const { rules } = await parseRules(before, file);
  const there = (await parseAlerts(before, file)).find(
    (one) => one.enabled && one.snoozed_until === null && isSame(one.alert, alert),
  );
  if (there !== undefined) return { text: before, added: there, isNew: false };
  const name = freeName(alert, rules);
  const { document } = await parseYamlDocument(before.trim() === '' ? FILE_HEADER : before, file);
  // A file that contains only comments has no `rules` key yet.
  if (document.contents === null || document.get('rules') == null) document.set('rules', document.createNode([]));
  document.addIn(['rules'], document.createNode(toRule(name, alert), { flow: true }));
  const text = await validatedText(document, file);
  const all = await parseAlerts(text, file);
  if (all.length > most) {
    throw new TradeAgentError('blocked', `there are already ${most} alerts`, {
      hint: 'Remove one first, or add this one yourself: trade-agent alert add.',
    });
  }
  const added = all.find((one) => one.name === name);
  if (added === undefined) throw new TypeError('the added alert is missing from the file');
  return { text, added, isNew: true };
}

/**
 * Removes an alert by its name, or all alerts for a symbol, from the text of a rules file.
 * @throws {TradeAgentError} `not_found`; `invalid_config`
 */
export async function removeAlerts(
  before: string,
  file: string,
  which: string,
): Promise<{ readonly text: string; readonly removed: readonly AlertView[] }> {
  const alerts = await parseAlerts(before, file);
  const named = alerts.filter(({ name }) => name === which);
  const removed = named.length > 0 ? named : alerts.filter(({ alert }) => alert.symbol === which.toUpperCase());
  if (removed.length === 0) throw noSuchAlert(which, alerts);
  const names = removed.map(({ name }) => name);
  return { text: await withoutRules(before, file, names), removed };
}

function noSuchAlert(which: string, alerts: readonly AlertView[]): TradeAgentError {
  const names = alerts.map(({ name }) => name).join(', ');
  return new TradeAgentError('not_found', `there is no alert "${which}"`, {
    hint: alerts.length === 0 ? 'There are no alerts.' : `The alerts are ${names}. A symbol removes all of its alerts.`,
  });
}
