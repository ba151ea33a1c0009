import { type BaseMessage, ToolMessage } from '@langchain/core/messages';
import { z } from 'zod';
import { findTools } from '../../tools/catalog.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { Intent } from '../reader/intent.ts';
import { readItems } from '../reader/items.ts';
import { parsePrompt } from '../reader/read.ts';
import { findMentionedKinds } from '../reader/topics.ts';
import { extractPrompts } from './message-history.ts';

/*
 * Selects the tools that a model request offers. All definitions together are larger than a small model's context. The
 * prompt therefore decides: by the intents that the planner reads in it or, if the planner understands only a part, by
 * the meanings of its words. The model can request any other tool with find_tools. This selection is not a safeguard:
 * each tool has the same checks, whether it was offered or not.
 */

type Topic = Intent['kind'] | 'option';

/** The tools for each topic, most important first. */
const toolsByTopic: Readonly<Record<Topic, string>> = {
  order: 'place_order get_quote get_portfolio search_symbols close_position place_orders',
  option: 'get_option_contracts place_order get_quote get_portfolio',
  standing: 'place_standing_order get_quote search_symbols place_order',
  swap: 'place_order get_quote get_portfolio search_symbols',
  target: 'place_order get_portfolio get_quote suggest_rebalance',
  cancel: 'list_orders cancel_order replace_order get_order',
  replace: 'list_orders replace_order cancel_order get_order',
  rebalance: 'suggest_rebalance place_orders get_portfolio place_order',
  whoami: 'whoami list_accounts get_portfolio',
  portfolio: 'get_portfolio get_performance get_quote get_risk',
  quote: 'get_quote search_symbols get_asset get_bars',
  chart: 'get_bars get_quote search_symbols get_performance',
  clock: 'get_market_clock get_calendar',
  calendar: 'get_calendar get_market_clock get_corporate_actions',
  orders: 'list_orders get_order get_activities cancel_order',
  computed: 'get_portfolio list_orders get_quote get_bars get_performance',
  send: 'send_slack_summary send_gmail_summary get_portfolio get_performance',
  alert: 'set_alert list_alerts remove_alert add_schedule get_quote search_symbols',
  alerts: 'list_alerts set_alert remove_alert add_schedule',
  stop_alert: 'remove_alert list_alerts set_alert',
  look: 'add_schedule list_alerts set_alert',
  news: 'get_news get_corporate_actions search_symbols get_quote',
  activities: 'get_activities get_performance list_orders get_corporate_actions',
  performance: 'get_performance get_bars get_portfolio get_activities',
  gains: 'get_realized_gains get_tax_lots check_wash_sale get_activities',
  risk: 'get_risk get_portfolio get_performance get_findings',
  lots: 'get_tax_lots get_realized_gains check_wash_sale get_portfolio',
  wash: 'check_wash_sale get_tax_lots get_realized_gains',
  findings: 'get_findings check_rules get_portfolio',
  rules: 'check_rules get_findings get_quote get_portfolio',
  watchlist: 'get_watchlist set_watchlist get_quote',
  watch: 'set_watchlist get_watchlist search_symbols get_quote',
  dividend_dates: 'get_corporate_actions get_activities search_symbols',
  say: '',
  help: '',
};

/** Meanings in the lexicon for each topic, the rarest topic first. The reader's own table covers questions. */
const meaningsByTopic: readonly (readonly [Topic, string])[] = [
  ['rebalance', 'rebalance'],
  ['send', 'slack mail'],
  ['stop_alert', 'stop_alerts'],
  ['alert', 'alert alerts'],
  ['wash', 'wash'],
  ['lots', 'lots'],
  ['gains', 'realize'],
  ['rules', 'rules'],
  ['option', 'contract covered secured strike expiring'],
  ['cancel', 'cancel'],
  ['standing', 'every daily weekday if'],
  ['order', 'buy invest sell buying selling trim close leave protect shorten swap afford limit trailing'],
  ['replace', 'change'],
];

const DEFAULT_TOOLS = 'get_portfolio get_quote search_symbols list_orders get_performance place_order'.split(' ');
const MAX_TOPICS = 4;
const MAX_READ_LENGTH = 1_000;
/** Number of earlier prompts that can decide which tools are offered. */
const MAX_PROMPTS = 10;

/**
 * Returns the names of the tools that the next model request should offer, most important first. The names stay the
 * same until the person needs other tools, so that the server can reuse its prompt cache.
 */
export function rankTools(messages: readonly BaseMessage[]): readonly string[] {
  let ranked: readonly string[] = [];
  for (const { text } of extractPrompts(messages).slice(-MAX_PROMPTS)) {
    const topics = readTopics(text);
    const isCovered = topics.every((topic) =>
      toolsOf(topic)
        .slice(0, 2)
        .every((name) => ranked.includes(name)),
    );
    if (topics.length > 0 && !isCovered) ranked = interleave(topics.map(toolsOf));
  }
  return [...new Set([...findRequestedTools(messages), ...ranked, ...DEFAULT_TOOLS])];
}

const toolsOf = (topic: Topic) => toolsByTopic[topic].split(' ').filter((name) => name !== '');

/** Returns the topics that the planner recognizes in a text. Topics of requests come first. */
function readTopics(text: string): Topic[] {
  const said = text.slice(0, MAX_READ_LENGTH);
  const parsed = parsePrompt(said);
  const intents = 'intents' in parsed ? parsed.intents : [];
  const items = readItems(said);
  const tags = new Set(items.flatMap((item) => item.tags));
  const requestedInPart = meaningsByTopic.flatMap(([topic, meanings]) =>
    meanings.split(' ').some((meaning) => tags.has(meaning)) ? [topic] : [],
  );
  const requested = intents.flatMap((intent): Topic[] =>
    intent.kind === 'order' && intent.contract !== undefined ? ['option'] : [intent.kind],
  );
  const mentioned = () => [...requestedInPart, ...findMentionedKinds(items)];
  return [...new Set(requested.length > 0 ? requested : mentioned())].slice(0, MAX_TOPICS);
}

function interleave(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list[at] ?? [])).flat();
}

const foundSchema = z.lazy(() => z.object({ available: z.array(z.string()) }));

/** Returns the tools that the model found for the latest prompt, newest first. */
function findRequestedTools(messages: readonly BaseMessage[]): string[] {
  const from = messages.findLastIndex(({ type }) => type === 'human');
  return messages
    .slice(from + 1)
    .flatMap((message) =>
      ToolMessage.isInstance(message) && message.name === findTools.name
        ? [foundSchema.safeParse(parseJson(message.text)).data?.available ?? []]
        : [],
    )
    .toReversed()
    .flat();
}

/** Maximum number of tools that a search returns. Even the largest tools together fit into one request. */
const MAX_FOUND = 3;

/**
 * Returns the tools that match a query, best first: tools that the query names, tools for its topics, and then tools
 * whose names or descriptions contain its words.
 */
export function searchTools(
  query: string,
  offered: readonly { readonly name: string; readonly description: string }[],
): readonly string[] {
  const words = [...new Set<string>(query.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu))];
  const names: readonly string[] = query.toLowerCase().match(/[a-z0-9_-]+/g) ?? [];
  const topical = interleave(readTopics(query.replaceAll('_', ' ')).map((topic) => toolsOf(topic).slice(0, 2)));
  const score = ({ name, description }: (typeof offered)[number]): number => {
    const inName = name.toLowerCase().split(/[_-]+/);
    const inDescription = new Set<string>(description.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu));
    const matches = words.filter((word) => inDescription.has(word)).length;
    return (
      (names.includes(name.toLowerCase()) ? 100 : 0) +
      (topical.includes(name) ? 10 - topical.indexOf(name) : 0) +
      words.filter((word) => inName.includes(word)).length * 3 +
      matches
    );
  };
  return offered
    .map((tool) => ({ name: tool.name, score: score(tool) }))
    .filter((one) => one.score > 0)
    .sort((one, other) => other.score - one.score)
    .slice(0, MAX_FOUND)
    .map(({ name }) => name);
}
