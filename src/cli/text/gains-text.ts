import type { HeldLots, RealisedGains } from '../../app/portfolio/gains.ts';
import { safeLine } from '../../text/shown-text.ts';
import { dollars, shares, signedDollars } from '../../trading/amounts.ts';
import { program, type Reader } from './reader.ts';
import { type Column, fittingTable, numbers } from './table.ts';
import { wrapWords } from './wrap.ts';

type Line = RealisedGains['gains'][number];
type Lot = HeldLots['lots'][number];

const UNKNOWN = '?';
const amount = (value: string | null) => (value === null ? UNKNOWN : dollars(value));
const signed = (value: string | null) => (value === null ? UNKNOWN : signedDollars(value));

const lineColumns: readonly Column<Line>[] = [
  { head: 'DESCRIPTION', cell: ({ description }) => safeLine(description), shortens: true },
  { head: 'ACQUIRED', cell: ({ acquired }) => acquired ?? UNKNOWN },
  { head: 'SOLD', cell: ({ sold }) => sold },
  numbers('PROCEEDS', ({ proceeds }) => amount(proceeds)),
  numbers('COST', ({ cost }) => amount(cost)),
  numbers(
    'ADJUSTMENT',
    ({ adjustment_code, adjustment }) =>
      adjustment_code === '' ? '' : `${adjustment_code} ${dollars(adjustment)}`,
    1,
  ),
  numbers('GAIN', ({ gain }) => signed(gain)),
  { rank: 2, head: 'TERM', cell: ({ term }) => term },
];

export async function gainsText(found: RealisedGains, reader: Reader = program): Promise<string> {
  const { gains, totals, by_year, year, method } = found;
  const when = year === null ? '' : ` in ${year}`;
  if (gains.length === 0) return [`No sales${when}.`, ...closing(found, reader)].join('\n');
  const years =
    by_year.length < 2 || year !== null ? [] : by_year.map((one) => `${one.year}: ${signedDollars(one.all)}`);
  return [
    await fittingTable(lineColumns, gains, reader.columns),
    `Short-term ${signedDollars(totals.short_term.gain)}, long-term ${signedDollars(totals.long_term.gain)}, total ${signedDollars(totals.all.gain)}${when}, by ${methodWords[method]}.`,
    ...(years.length === 0 ? [] : [years.join(', ')]),
    ...closing(found, reader),
  ].join('\n');
}

const methodWords: Readonly<Record<RealisedGains['method'], string>> = {
  fifo: 'first in, first out',
  average: 'average cost',
  highest: 'highest cost first',
  specific: 'the lots you named',
};

const lotColumns: readonly Column<Lot>[] = [
  { head: 'SYMBOL', cell: ({ symbol }) => safeLine(symbol) },
  { head: 'ACQUIRED', cell: ({ acquired }) => acquired ?? UNKNOWN },
  numbers('QTY', ({ qty }) => shares(qty)),
  numbers('COST', ({ cost }) => amount(cost)),
  numbers('VALUE', ({ value }) => dollars(value)),
  numbers('GAIN', ({ gain }) => signed(gain)),
  { rank: 1, head: 'TERM', cell: ({ term }) => term },
  { rank: 2, head: 'LONG-TERM FROM', cell: ({ long_term_from }) => long_term_from ?? '' },
];

export async function lotsText(found: HeldLots, reader: Reader = program): Promise<string> {
  if (found.lots.length === 0)
    return ['No lots held.', ...closing({ ...found, notes: [] }, reader)].join('\n');
  return [
    await fittingTable(lotColumns, found.lots, reader.columns),
    ...closing({ ...found, notes: [] }, reader),
  ].join('\n');
}

function closing(
  found: Pick<RealisedGains, 'incomplete' | 'imported' | 'notes' | 'simulated'>,
  { columns }: Reader,
): string[] {
  const { incomplete, imported, notes, simulated } = found;
  const lines = [
    ...(incomplete.length === 0
      ? []
      : [
          `Incomplete data for ${incomplete.map((symbol) => safeLine(symbol)).join(', ')}: positions and trades do not match, or a cost is missing. Amounts shown as ? are not in the totals. Add the history with trade-agent import (a spin_off row sets the cost after a spin-off).`,
        ]),
    ...(imported === 0
      ? []
      : [`${imported} of the activities were imported; your broker did not report them.`]),
    ...notes.map((note) => `Note: ${note}.`),
    ...(simulated ? ['The account is simulated.'] : []),
  ];
  return lines.flatMap((line) => wrapWords(line, columns));
}
