import { InvalidArgumentError, Option } from 'commander';
import { closestMatch } from '../../text/closest-match.ts';

/** An option with a fixed set of values; a near miss is answered with the value that was meant. */
export function choiceOption(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values).argParser((text: string) => {
    if (values.includes(text)) return text;
    const nearest = closestMatch(text, values);
    const meant = nearest === undefined ? '' : `Did you mean ${nearest}? `;
    throw new InvalidArgumentError(`${meant}Choose ${inWords(values)}.`);
  });
}

/** `a, b or c` */
function inWords(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
