import { Dec } from '../../../../src/trading/decimal.ts';

/** Each of a list as one line of these fields; `-` is what there is nothing of. */
export const told = <T>(list: readonly T[], ...fields: readonly (keyof T)[]): string[] =>
  list.map((one) =>
    fields
      .map((field) => one[field] ?? '-')
      .map((value) => (Dec.isDecimal(value) ? value.toFixed() : value))
      .join(' '),
  );
