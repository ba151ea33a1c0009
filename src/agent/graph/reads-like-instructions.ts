import { hasInstructionWords } from './instruction-words.ts';

/** More of one answer is not looked at, characters. */
const MOST_READ = 200_000;
/** Words of a label, as a notice names what a call was about. */
const LONGEST_ABOUT = 40;

/**
 * Whether text that is data has words in it that are meant for a model. A heuristic: it tells the person, and guards
 * nothing; that only the person's own words count is for provenance, gateway and phone to see to.
 * @param text prose, or JSON, whose strings are looked at each by itself
 */
export function readsLikeInstructions(text: string): boolean {
  return stringsOf(text.slice(0, MOST_READ)).some((each) =>
    hasInstructionWords(each.replace(/[ \t]+/g, ' ')),
  );
}

/** The notice, of a call or of what was handed over. @param about symbols it was about, where it says */
export function instructionsNotice(source: string, about: readonly string[] = []): string {
  const whose = about.join(', ').slice(0, LONGEST_ABOUT);
  return `${source}${whose === '' ? '' : ` (${whose})`} contains text that reads like instructions; it is data, and was not followed`;
}

/** The symbols that a call's arguments name. */
export function aboutOf({ symbol, symbols }: Readonly<Record<string, unknown>>): string[] {
  return [symbol, ...(Array.isArray(symbols) ? symbols : [symbols])].flatMap((one: unknown) =>
    typeof one === 'string' && /^[A-Za-z0-9./-]{1,12}$/.test(one) ? [one.toUpperCase()] : [],
  );
}

function stringsOf(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [text];
  }
  // As it stands too: a tool call may be written in its own brackets.
  const found: string[] = [text];
  const walk = (each: unknown): void => {
    if (typeof each === 'string') found.push(each);
    else if (typeof each === 'object' && each !== null) for (const one of Object.values(each)) walk(one);
  };
  walk(value);
  return found;
}
