import type { z } from 'zod';
import { readRequiredFile } from '../config/required-file.ts';
import { lineSuffix, parseYamlDocument } from '../config/yaml-file.ts';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { findClosestMatch } from '../text/closest-match.ts';
import { checkOrder } from '../trading/order.ts';
import { DEFAULT_BENCHMARK } from '../trading/portfolio/benchmark.ts';
import { shareSymbolPattern } from '../trading/symbol.ts';
import { messagePlaceholders, placeholdersIn } from './message.ts';
import {
  isAtMostHundredPercent,
  percentPattern,
  percentToFraction,
  type RulesFile,
  ruleKeys,
  ruleKinds,
  ruleOrderKeys,
  rulesFileSchema,
  suggestSchema,
} from './rules-schema.ts';

const defaultRules: z.input<typeof rulesFileSchema> = {
  benchmark: DEFAULT_BENCHMARK,
  rules: [
    { name: 'ruin', kind: 'ruin' },
    { name: 'day-move', kind: 'move', symbols: 'held', by: '7%' },
    { name: 'day-loss', kind: 'loss', over: 'day', above: '3%', severity: 'critical' },
    { name: 'drawdown', kind: 'drawdown', above: '10%' },
    { name: 'concentration', kind: 'concentration', above: '40%' },
    { name: 'cash-drag', kind: 'cash', above: '50%', severity: 'info' },
    { name: 'stale-prices', kind: 'stale', older_than: '15m', when: 'market_open' },
    { name: 'old-orders', kind: 'open_order', older_than: '3d' },
    { name: 'market-closure', kind: 'closure', within: '1d', severity: 'info' },
  ],
};

/** Maximum size of a rules file. A larger file was probably named by mistake. */
const MAX_BYTES = 1024 * 1024;

/** @throws {TradeAgentError} `invalid_config` with the file, line and key, and the most similar valid key */
export async function loadRules(file: string): Promise<RulesFile> {
  const hint = 'Pass another file with --rules, or omit --rules to use the default rules.';
  return parseRules(readRequiredFile(file, 'rules file', hint), file);
}

export function defaultRulesFile(): RulesFile {
  return rulesFileSchema.parse(defaultRules);
}

/** Parses a rules file. @param file the name to show in errors @throws {TradeAgentError} `invalid_config` */
export async function parseRules(text: string, file: string): Promise<RulesFile> {
  if (text.length > MAX_BYTES) throw invalid(file, `${file} is too long for a rules file`);
  return (await parseQuickly(text, file)) ?? (await parseWithLines(text, file));
}

async function parseWithLines(text: string, file: string): Promise<RulesFile> {
  const { document, lines, content: written } = await parseYamlDocument(text, file);
  const content = written ?? {};
  const at = (path: readonly PropertyKey[]) => `${file}${lineSuffix(document, lines, path)}`;
  const result = rulesFileSchema.safeParse(content, { error: issueText });
  if (!result.success) throw toConfigError(result.error, content, file, at);
  checkRules(result.data, file, at);
  return result.data;
}

/**
 * Fast path for a valid file with plain targets. Returns undefined for any other file; the slow path then parses it and
 * reports errors with line numbers.
 */
async function parseQuickly(text: string, file: string): Promise<RulesFile | undefined> {
  const plain = extractPlainTargets(text);
  if (plain === undefined) return undefined;
  try {
    const { content } = await parseYamlDocument(plain.rest, file);
    const { success, data } = rulesFileSchema.safeParse(content);
    if (!success) return undefined;
    const rules = { ...data, targets: plain.targets };
    checkRules(rules, file, () => file);
    return rules;
  } catch (error) {
    if (isTradeAgentError(error)) return undefined;
    throw error;
  }
}

/** Checks the requirements that the schema can't express. @param at returns the file and line of a path */
function checkRules({ rules, targets }: RulesFile, file: string, at: (path: readonly PropertyKey[]) => string): void {
  rules.forEach((rule, index) => {
    const known = messagePlaceholders(rule.kind);
    for (const name of placeholdersIn(rule.message ?? '')) {
      if (known.includes(name)) continue;
      const said = `the message of rule "${rule.name}" can't use {${name}}`;
      throw invalid(file, `${at(['rules', index, 'message'])}: ${said}`, { typed: name, known });
    }
    if (rule.kind !== 'order') return;
    try {
      checkOrder({ ...rule.order, symbol: rule.symbol });
    } catch (error) {
      if (!isTradeAgentError(error)) throw error;
      const message = `${at(['rules', index, 'order'])}: rule "${rule.name}": ${error.message}`;
      throw invalid(file, message, { hint: error.hint });
    }
  });
  if (rules.some(({ kind }) => kind === 'drift') && targets === undefined) {
    const index = rules.findIndex(({ kind }) => kind === 'drift');
    const hint = 'For example, add "targets: {AAPL: 40%, MSFT: 40%}".';
    throw invalid(file, `${at(['rules', index])}: a drift rule needs targets`, { hint });
  }
}

function invalid(
  file: string,
  message: string,
  { typed, known = [], hint }: { typed?: string; known?: readonly string[]; hint?: string | undefined } = {},
) {
  const nearest = typed === undefined ? undefined : findClosestMatch(typed, known);
  const choices = known.length === 0 ? 'Correct the file.' : `Valid here: ${known.join(', ')}.`;
  return new TradeAgentError('invalid_config', message, {
    hint: hint ?? (nearest === undefined ? choices : `Did you mean "${nearest}"? ${choices}`),
    details: { file },
  });
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
  record: 'keys and values',
};

function issueText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.input === undefined) return 'is missing';
  if (issue.input === null) return 'is empty';
  return `must be ${typeWords[issue.expected] ?? issue.expected}`;
}

function toConfigError(
  error: z.ZodError,
  content: unknown,
  file: string,
  at: (path: readonly PropertyKey[]) => string,
): TradeAgentError {
  // A misspelled key can also cause a "missing key" error, but the error about the misspelling is more helpful.
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0];
  if (issue === undefined) return invalid(file, `${file} is not valid`);
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const message = `${at([...path, key])}: unknown key "${pathText([...path, key])}"`;
    return invalid(file, message, { typed: key, known: keysAt(content, path) });
  }
  if (issue.code === 'invalid_union' && path.at(-1) === 'kind') {
    const kind = valueAt(content, path);
    const said = kind === undefined ? 'a rule needs a kind' : `there is no rule kind "${String(kind)}"`;
    return invalid(file, `${at(path)}: ${said}`, { typed: String(kind ?? ''), known: ruleKinds });
  }
  if (path.length === 0) {
    const hint = `The valid keys are ${Object.keys(rulesFileSchema.shape).join(', ')}.`;
    return invalid(file, `${file} ${issue.message}`, { hint });
  }
  const message = `${at(path)}: "${pathText(path)}" ${issue.message}`;
  if (issue.code !== 'invalid_value') return invalid(file, message);
  const known = issue.values.map(String);
  return invalid(file, message, { typed: String(valueAt(content, path)), known });
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], content);
}

function keysAt(content: unknown, path: readonly PropertyKey[]): string[] {
  const [first, , third] = path;
  if (first === undefined) return Object.keys(rulesFileSchema.shape);
  if (first === 'suggest') return Object.keys(suggestSchema.shape);
  if (first !== 'rules') return [];
  if (third === 'when') return ['before_close'];
  if (path[2] === 'order') return ruleOrderKeys;
  return ruleKeys(String(valueAt(content, [...path.slice(0, 2), 'kind'])));
}

const BEFORE = '(?:(?:#[^\\n]*|[a-z_]+: [\\w.%-]+)?\\n)*';
/** Matches a target's line if YAML reads its symbol and percentage as text and the schema accepts both. */
const LINE = ` {2}(?:cash|${shareSymbolPattern.source}): ${percentPattern.source}\\n`;
const plainTargets = new RegExp(`^(${BEFORE})targets:\\n((?:${LINE})+)(?![ ])`);

/** Words that YAML reads as null or booleans, although they may be symbols. */
const NON_TEXT_SYMBOLS = ['NULL', 'TRUE', 'FALSE'];

/**
 * Extracts targets that are written one per line, as in nearly all files. For a thousand targets, skipping the YAML
 * parser and the schema saves a tenth of the check's time. Returns undefined if the targets are written differently or
 * are invalid.
 */
export function extractPlainTargets(text: string) {
  const found = plainTargets.exec(text);
  if (found === null) return undefined;
  const [whole, before = '', block = ''] = found;
  const lines = block.trimEnd().split('\n');
  const targets: Record<string, string> = {};
  for (const line of lines) {
    const end = line.indexOf(':');
    const symbol = line.slice(2, end);
    if (Object.hasOwn(targets, symbol) || NON_TEXT_SYMBOLS.includes(symbol)) return undefined;
    targets[symbol] = percentToFraction(line.slice(end + 2));
  }
  if (!isAtMostHundredPercent(targets)) return undefined;
  return { rest: `${before}targets: {}\n${text.slice(whole.length)}`, targets };
}
