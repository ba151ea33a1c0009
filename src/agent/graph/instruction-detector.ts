import { parseJson } from '../../values/parse-json.ts';

const MAX_INSPECTED_LENGTH = 200_000;
const MAX_SUBJECT_LENGTH = 40;

/**
 * Returns whether data contains wording that addresses a model. This heuristic only produces a notice. Provenance, the
 * gateway and the phone ensure that only the person's own words count.
 * @param text prose or JSON; in JSON, every string is inspected
 */
export function readsLikeInstructions(text: string): boolean {
  return stringsIn(text.slice(0, MAX_INSPECTED_LENGTH)).some((each) =>
    hasInstructionWords(each.replace(/[ \t]+/g, ' ')),
  );
}

export function instructionsNotice(source: string, about: readonly string[] = []): string {
  const whose = about.join(', ').slice(0, MAX_SUBJECT_LENGTH);
  return `${source}${whose === '' ? '' : ` (${whose})`} contains text that reads like instructions; it was treated as data and not followed`;
}

export function findSymbolsInArguments({ symbol, symbols }: Readonly<Record<string, unknown>>): string[] {
  return [symbol, ...(Array.isArray(symbols) ? symbols : [symbols])].flatMap((one: unknown) =>
    typeof one === 'string' && /^[A-Za-z0-9./-]{1,12}$/.test(one) ? [one.toUpperCase()] : [],
  );
}

function stringsIn(text: string): string[] {
  const value = parseJson(text);
  // The whole text is also inspected, because a tool call in JSON spans several of its strings.
  const found: string[] = [text];
  const walk = (each: unknown): void => {
    if (typeof each === 'string') found.push(each);
    else if (typeof each === 'object' && each !== null) for (const one of Object.values(each)) walk(one);
  };
  walk(value);
  return found;
}

/* Wordings of published prompt injections. They must not match sentences that a newspaper or a broker could write. */

const RULES = '(?:instructions?|prompts?|directives|commands)';
const MODEL = '(?:ai|assistant|agent|model|llm|chat ?bot|bot|copilot)';
const PROPOSING =
  'place_order|place_orders|place_standing_order|place_standing_orders|cancel_order|replace_order|close_position|send_slack_summary|send_gmail_summary';

/** Returns whether a line contains a certain wording. @param line text with single spaces */
type Wording = (line: string, folded: string) => boolean;

/**
 * Returns a test for a wording. A pattern is compiled only when a line contains one of its words, because compiling all
 * patterns took a tenth of a run's time.
 * @param words separated by "|"
 * @param pattern case-insensitive; "@" means any of the words
 */
function wording(words: string, pattern: string, flags = 'i'): Wording {
  const needed = foldCase(words).split('|');
  let compiled: RegExp | undefined;
  return (line, folded) => {
    if (!needed.some((word) => folded.includes(word))) return false;
    compiled ??= new RegExp(pattern.replace('@', `(?:${words})`), flags);
    return compiled.test(line);
  };
}

/** Folds case like the regular expression flags `iu`, which match "ſ" (U+017F) with "s" and U+212A with "k". */
function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase();
}

const { raw } = String;
const wordings: readonly Wording[] = [
  // "Ignore all previous instructions", in the languages of the planner's word lists and a few more.
  wording('ignore|disregard|forget|override|bypass', raw`\b@\b (?:\w+ ){0,4}${RULES}\b`),
  wording('ignoriere|missachte|vergiss', raw`\b@\b (?:\p{L}+ ){0,4}(?:anweisung(?:en)?|befehle?|vorgaben)\b`, 'iu'),
  wording('ignora|olvida|descarta', raw`\b@\b (?:\p{L}+ ){0,4}(?:instrucciones|órdenes)`, 'iu'),
  wording('ignore|ignorez|ignorer|oublie|oubliez', raw`\b@\b (?:\p{L}+ ){0,4}instructions`, 'iu'),
  wording('이전|위의|앞의|모든', raw`@\s?(?:의\s?)?(?:지시|명령|지침)(?:를|을|사항을)?\s?(?:모두\s)?무시`, 'u'),
  wording('忽略|无视', raw`@(?:\S{0,8})(?:指令|指示|提示)`, 'u'),
  // Wording that gives the model another role, or imitates another part of the conversation.
  wording('you are', raw`\b@ (?:now |actually )?(?:an? |the )?(?:\w+ ){0,2}${MODEL}\b`),
  wording('instruction|instructions|system prompt', raw`\b(?:new|updated|real|actual|hidden) (?:system )?@\s*:`),
  wording('system|hidden|secret|developer', raw`\b(?:begin|end) (?:of )?@ (?:prompt|message|instructions?)\b`),
  wording('system|developer|admin', raw`(?:^|[\n.!?\]>*-]\s*)\[?@(?: (?:message|prompt|override|note))?\]?\s*:\s+\S`),
  wording('im_start|im_end|system|tool_call|assistant|start_of_turn|eot_id', raw`<[|｜]?\/?@[|｜]?>`),
  wording('INST', raw`\[\/?@\]`),
  wording(
    'system prompt|hidden instructions|initial prompt',
    raw`\b(?:reveal|print|repeat|output|show) (?:me )?(?:your|the) @\b`,
  ),
  // Wording that asks for actions that only a model would perform.
  wording(
    'dear |attention |attention, |note to |to the |hey |hey, |any ',
    raw`\b@${MODEL}s?\b[^.\n]{0,60}\b(?:buy|sell|place|send|transfer|approve|cancel|call|ignore|follow|must)\b`,
  ),
  wording(
    'must|should|shall|please|is to|are to',
    raw`\b${MODEL}s?(?: reading this)?(?:,|:)? @(?: now| immediately)? (?:buy|sell|place|send|transfer|approve|cancel|call|ignore)\b`,
  ),
  wording(
    `${PROPOSING}|get_portfolio|list_orders`,
    raw`\b(?:call|use|invoke|run|execute|trigger)(?: the)?(?: tool| function)? [\`"']?@\b`,
  ),
  wording(PROPOSING, raw`"(?:name|tool)"\s*:\s*"@"`),
  // Wording that claims that the person has agreed.
  wording(
    'the user|the account owner|the account holder|the human|the client',
    raw`\b@ (?:has |have )?(?:already )?(?:approved|authori[sz]ed|confirmed|consented|agreed to|pre-?approved)\b`,
  ),
  wording(
    "without|do not|don't|never",
    raw`\b@ (?:ask(?:ing)?|tell(?:ing)?|inform(?:ing)?|notify(?:ing)?|alert(?:ing)?|mention(?:ing)?)(?: \w+){0,4} (?:the |your )?(?:user|account owner|human)\b`,
  ),
];

function hasInstructionWords(line: string): boolean {
  const folded = foldCase(line);
  return wordings.some((has) => has(line, folded));
}
