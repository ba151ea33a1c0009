import { NotSent } from '../broker-failure.ts';
import { sentNumber } from '../plain-orders.ts';
import type { Argument, Call, inputs } from './mapping.ts';

export type Given = Partial<Record<(typeof inputs)[number], string | readonly string[] | undefined>>;

/** @throws {NotSent} for what has no word there */
export function argumentsOf({ tool, arguments: all }: Call, given: Given): Record<string, unknown> {
  const entries = Object.entries(all).flatMap(([name, argument]): [string, unknown][] => {
    const value = saidOf(argument, given, tool);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

function saidOf(argument: Argument, given: Given, tool: string): unknown {
  if ('is' in argument) return argument.is;
  const { from, words, as } = argument;
  const value = given[from];
  if (value === undefined || value.length === 0) return undefined;
  const said = (typeof value === 'string' ? [value] : value).map((one) => {
    if (words === undefined) return one;
    const theirs = Object.hasOwn(words, one) ? words[one] : undefined;
    if (theirs === undefined) throw new NotSent(`${tool} has no word for ${from} ${one}`);
    return theirs;
  });
  if (as === 'list') return said;
  if (as === undefined) return said.join(',');
  return sentNumber(said.join(), tool);
}
