import type { HeldLots, RealizedGains } from '../../app/portfolio/gains.ts';
import { safeLine } from '../../text/sanitize.ts';
import { formatDollarAmount, formatShares, formatSignedDollars } from '../../trading/amounts.ts';
import { type OutputAudience, programAudience } from './audience.ts';
import { type Column, fitTable, numberColumn } from './table.ts';
import { wrapWords } from './wrap.ts';

type Line = RealizedGains['gains'][number];
type Lot = HeldLots['lots'][number];

const UNKNOWN = '?';
const formatAmount = (value: string | null) => (value === null ? UNKNOWN : formatDollarAmount(value));
const formatSigned = (value: string | null) => (value === null ? UNKNOWN : formatSignedDollars(value));

const lineColumns: readonly Column<Line>[] = [
  { head: 'DESCRIPTION', cell: ({ description }) => safeLine(description), shortens: true },
  { head: 'ACQUIRED', cell: ({ acquired }) => acquired ?? UNKNOWN },
  { head: 'SOLD', cell: ({ sold }) => sold },
  numberColumn('PROCEEDS', ({ proceeds }) => formatAmount(proceeds)),
  numberColumn('COST', ({ cost }) => formatAmount(cost)),
  numberColumn(
    'ADJUSTMENT',
    ({ adjustment_code, adjustment }) =>
      adjustment_code === '' ? '' : `${adjustment_code} ${formatDollarAmount(adjustment)}`,
    1,
  ),
  numberColumn('GAIN', ({ gain }) => formatSigned(gain)),
  { rank: 2, head: 'TERM', cell: ({ term }) => term },
];

export async function gainsText(found: RealizedGains, audience: OutputAudience = programAudience): Promise<string> {
  const { gains, totals, by_year, year, method } = found;
  const when = year === null ? '' : ` in ${year}`;
  if (gains.length === 0) return [`No sales${when}.`, ...footer(found, audience)].join('\n');
  const years =
    by_year.length < 2 || year !== null ? [] : by_year.map((one) => `${one.year}: ${formatSignedDollars(one.all)}`);
  return [
    await fitTable(lineColumns, gains, audience.columns),
    `Short-term ${formatSignedDollars(totals.short_term.gain)}, long-term ${formatSignedDollars(totals.long_term.gain)}, total ${formatSignedDollars(totals.all.gain)}${when}, by ${methodWords[method]}.`,
    ...(years.length === 0 ? [] : [years.join(', ')]),
    ...footer(found, audience),
  ].join('\n');
}

const methodWords: Readonly<Record<RealizedGains['method'], string>> = {
  fifo: 'first in, first out',
  average: 'average cost',
  highest: 'highest cost first',
  specific: 'the lots you named',
};

const lotColumns: readonly Column<Lot>[] = [
  { head: 'SYMBOL', cell: ({ symbol }) => safeLine(symbol) },
  { head: 'ACQUIRED', cell: ({ acquired }) => acquired ?? UNKNOWN },
  numberColumn('QTY', ({ qty }) => formatShares(qty)),
  numberColumn('COST', ({ cost }) => formatAmount(cost)),
  numberColumn('VALUE', ({ value }) => formatDollarAmount(value)),
  numberColumn('GAIN', ({ gain }) => formatSigned(gain)),
  { rank: 1, head: 'TERM', cell: ({ term }) => term },
  { rank: 2, head: 'LONG-TERM FROM', cell: ({ long_term_from }) => long_term_from ?? '' },
];

export async function lotsText(found: HeldLots, audience: OutputAudience = programAudience): Promise<string> {
  if (found.lots.length === 0) return ['No lots held.', ...footer({ ...found, notes: [] }, audience)].join('\n');
  return [await fitTable(lotColumns, found.lots, audience.columns), ...footer({ ...found, notes: [] }, audience)].join(
    '\n',
  );
}

function footer(
  found: Pick<RealizedGains, 'incomplete' | 'imported' | 'notes' | 'simulated'>,
  { columns }: OutputAudience,
): string[] {
  const { incomplete, imported, notes, simulated } = found;
  const lines = [
    ...(incomplete.length === 0
      ? []
      : [
          `Incomplete data for ${incomplete.map((symbol) => safeLine(symbol)).join(', ')}: positions and trades do not match, or a cost is missing. Amounts shown as ? are not in the totals. Add the history with trade-agent import (a spin_off row sets the cost after a spin-off).`,
        ]),
    ...(imported === 0 ? [] : [`${imported} of the activities were imported; your broker did not report them.`]),
    ...notes.map((note) => `Note: ${note}.`),
    ...(simulated ? ['The account is simulated.'] : []),
  ];
  return lines.flatMap((line) => wrapWords(line, columns));
}
