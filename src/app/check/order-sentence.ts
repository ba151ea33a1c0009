import { type Intent, parsePrompt } from '../../agent/planner/sentence.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { normalizeOrder, type OrderRequest, orderRequestSchema } from '../../trading/order.ts';

/** What the planner reads at once. */
const LONGEST_PROMPT = 1000;
/** What a person is asked at once; the graph takes no more either. */
const MOST_ORDERS = 20;

/**
 * Orders as sentences of the built-in planner's grammar, so that a suggestion goes the way of any order, and whoever
 * resumes its thread finds it said in words. As many as fit; the rest is for the next check.
 * @throws {TradeAgentError} `internal` where the planner would read anything but these very orders
 */
export function orderPrompt(requests: readonly OrderRequest[]): { prompt: string; count: number } {
  const sentences: string[] = [];
  for (const request of requests.slice(0, MOST_ORDERS)) {
    const sentence = orderSentence(request);
    if ([...sentences, sentence].join('; ').length > LONGEST_PROMPT) break;
    sentences.push(sentence);
  }
  const prompt = sentences.join('; ');
  const parsed = parsePrompt(prompt);
  const read = 'intents' in parsed ? parsed.intents.map(asRequest) : [];
  const meant = requests
    .slice(0, sentences.length)
    .map((request) => JSON.stringify(sorted(normalizeOrder(request))));
  if (read.length !== meant.length || read.some((text, index) => text !== meant[index])) {
    throw new TradeAgentError(
      'internal',
      `the planner would not read these orders as they are meant: ${prompt}`,
      {
        hint: 'Nobody was asked. Place them one by one with "trade-agent run".',
      },
    );
  }
  return { prompt, count: sentences.length };
}

/** `sell 8 AAPL limit 228.50 day` */
export function orderSentence(request: OrderRequest): string {
  const words: string[] = [request.side, request.qty ?? `$${request.notional}`, request.symbol];
  if (request.type === 'market') words.push('market');
  if (request.trail_percent !== undefined) words.push(`trailing stop ${request.trail_percent}%`);
  if (request.trail_price !== undefined) words.push(`trailing stop $${request.trail_price}`);
  if (request.stop_price !== undefined) words.push(`stop ${request.stop_price}`);
  if (request.limit_price !== undefined) words.push(`limit ${request.limit_price}`);
  words.push(request.time_in_force);
  if (request.extended_hours) words.push('extended hours');
  return words.join(' ');
}

function asRequest(intent: Intent): string {
  if (intent.kind !== 'order' || intent.fraction !== undefined) return intent.kind;
  const parsed = orderRequestSchema.safeParse(intent.request);
  return parsed.success ? JSON.stringify(sorted(normalizeOrder(parsed.data))) : 'no order';
}

function sorted(request: OrderRequest): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1)));
}
