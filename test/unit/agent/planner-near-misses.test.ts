import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nearMiss, wordsOf } from './near-misses.ts';
import { inShort, orderId, planned } from './planner-world.ts';

/** More by `NEAR_MISSES=20000`. */
const RUNS = Number(process.env.NEAR_MISSES ?? 300);
const amountFields = [
  ...['qty', 'notional', 'limit_price', 'stop_price', 'trail_price', 'trail_percent'],
  ...['take_profit_limit_price', 'stop_loss_stop_price', 'stop_loss_limit_price'],
];

/** A letter more makes one of these. */
const names: Readonly<Record<string, string>> = { tsla: 'tesla' };

/** Why an order is not what the words say; undefined where it is. */
function misread(text: string): string | undefined {
  const plan = planned([text]);
  if (!('calls' in plan)) return undefined;
  const said = wordsOf(text);
  for (const { name, args } of plan.calls) {
    if (!['place_order', 'cancel_order', 'replace_order'].includes(name)) continue;
    if (said.strange) return 'a word that changes the meaning was passed over';
    const symbol = String(args.symbol ?? 'AAPL').toLowerCase();
    // The one open order there is needs no symbol.
    const isMyOrder = name !== 'place_order' && /\b(?:my|the) (?:order|limit|stop)\b/.test(said.words.join(' '));
    const isSaid = [symbol, `$${symbol}`, names[symbol]].some((word) => said.words.includes(word ?? symbol));
    if (!isSaid && !isMyOrder) return 'the symbol is not in the words';
    if (name === 'cancel_order') {
      if (args.order_id !== orderId || !said.words.includes('cancel')) return 'not that order, or no cancel';
      if (said.numbers.length > 0) return 'a number in a cancel';
      continue;
    }
    const fields = amountFields.filter((field) => args[field] !== undefined);
    const isPart = said.doubles || said.words.some((word) => ['half', 'close'].includes(word) || word.endsWith('%'));
    const values = fields.filter((field) => !(field === 'qty' && isPart)).map((field) => Number(args[field]));
    const numbers = said.numbers.filter((number) => !(isPart && said.parts.includes(number)));
    if (values.toSorted((a, b) => a - b).join() !== numbers.toSorted((a, b) => a - b).join())
      return 'the numbers are others';
    if (name === 'replace_order') continue;
    if (said.buys === said.sells) return 'two sides, or none';
    if ((args.side === 'buy') !== said.buys) return 'the other side';
    if (args.notional !== undefined && !/\$|worth|dollars/.test(text)) return 'dollars that nobody said';
    if (args.qty !== undefined && /\$\d|worth/.test(text.split(/limit|at|stop|for|profit/)[0] ?? ''))
      return 'dollars were said';
    if (args.limit_price !== undefined && !/limit|at|@|for/i.test(text)) return 'a limit that nobody said';
    if (args.stop_price !== undefined && !/stop|stp/i.test(text)) return 'a stop that nobody said';
    const exits = args.take_profit_limit_price ?? args.stop_loss_stop_price;
    if (exits !== undefined && !/take profit|stop loss|with a? ?stop| or /i.test(text)) return 'exits that nobody said';
    if (/good|gtc|canceled/i.test(text) !== (args.time_in_force === 'gtc')) return 'the time in force is another';
  }
  return undefined;
}

it(`reads nothing into ${RUNS} near-misses that their words don't say`, () => {
  let understood = 0;
  fc.assert(
    fc.property(nearMiss, (text) => {
      const wrong = misread(text);
      if (inShort(planned([text])) !== 'asks') understood += 1;
      expect(wrong, `${text} → ${inShort(planned([text]))}`).toBeUndefined();
    }),
    { numRuns: RUNS },
  );
  // A planner that understood nothing would misread nothing.
  expect(understood).toBeGreaterThan(RUNS / 60);
}, 60_000);
