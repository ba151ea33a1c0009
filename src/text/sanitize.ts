import { invisiblePattern, surplusMarkPattern } from './invisible.ts';

/*
 * Makes outside text (from a model, a broker, a server, a file) safe to display. Escape sequences could redraw the
 * screen and show a different order from the one to approve, direction marks could reverse a number, and zero-width
 * characters could make two names look alike. Every pass is linear, because the sender also chooses the text's length.
 */

/**
 * Escape sequences of ECMA-48 §5.3–5.6 and §8.3, and those that xterm accepts. The body of a sequence excludes all
 * control characters except its own terminator, so no character is scanned for more than one introducer. If a sequence
 * never ends, only its introducer is removed: a terminal would hide the text that follows, but the reader should see
 * it.
 */
const escapeSequences = lazyPattern(
  () =>
    new RegExp(
      [
        // OSC, DCS, SOS, PM and APC to BEL or ST.
        '(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f]*(?:\\u0007|\\u001b\\\\|\\u009c)',
        // CSI: parameters, intermediates, one final character.
        '(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]',
        '\\u001b[ -/]*[0-~]',
      ].join('|'),
      'g',
    ),
);

const lineBreaks = /\r\n?|[\v\f\u0085\u2028\u2029]/g;

const pictographic = '\\p{Extended_Pictographic}';
/**
 * Matches a letter of a script that uses joiners. Latin, Greek and Cyrillic don't use joiners, and invisible filler
 * characters don't count as letters.
 */
const joiningLetter = '(?![\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}\\p{Default_Ignorable_Code_Point}])';
/** Matches a joiner within an emoji sequence, or between letters of a script that uses joiners. */
const effectiveJoiner = [
  `(?<=${pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?)\\u200d(?=${pictographic})`,
  `(?<=${joiningLetter}[\\p{L}\\p{M}])[\\u200c\\u200d](?=${joiningLetter}\\p{L})`,
].join('|');
/** Matches a variation selector that belongs to no emoji and no keycap. */
const idleSelector = `(?<!${pictographic}|[#*0-9](?=[\\ufe0e\\ufe0f]\\u20e3))[\\ufe0e\\ufe0f]`;

/** Matches idle selectors, and invisible characters except tabs, line feeds and effective joiners. */
const hiddenCharacters = lazyPattern(
  () => new RegExp(`(?![\\t\\n])(?!${effectiveJoiner})${invisiblePattern().source}|${idleSelector}`, 'gu'),
);
const surplusMarks = lazyPattern(() => new RegExp(surplusMarkPattern().source, 'gu'));

/** Matches text from which nothing is removed: printable ASCII, tabs and line feeds. */
const plainPattern = /^[\t\n\x20-\x7e]*$/;

/** Returns `text` with hidden characters and surplus marks replaced by `instead`. */
export function replaceInvisibleCharacters(text: string, instead: (sign: string) => string): string {
  return plainPattern.test(text) ? text : text.replace(hiddenCharacters(), instead).replace(surplusMarks(), instead);
}

/** Returns the text without characters that control a terminal, hide text or reorder text. Keeps line breaks. */
export function safeText(text: string): string {
  if (plainPattern.test(text)) return text;
  const lines = text.toWellFormed().replace(escapeSequences(), '').replace(lineBreaks, '\n');
  return replaceInvisibleCharacters(lines, () => '');
}

/** Like {@link safeText}, but returns one line of at most `longest` UTF-16 code units. Never splits a character. */
export function safeLine(text: string, longest = Number.POSITIVE_INFINITY): string {
  const line = safeText(text).replace(/\s+/g, ' ').trim();
  if (line.length <= longest) return line;
  return `${line.slice(0, longest - 1).replace(/[\u200c\u200d]?[\ud800-\udbff]?$/, '')}…`;
}

/**
 * Replaces tabs, line feeds and everything that {@link safeText} would remove with visible marks, for people who make a
 * decision based on the text.
 */
export function markInvisibleCharacters(text: string): string {
  return replaceInvisibleCharacters(text.toWellFormed(), () => '\ufffd').replace(/[\t\n]/g, '\ufffd');
}

/** Builds a Unicode pattern only when it is first needed. Plain text never needs it (see `text/invisible.ts`). */
function lazyPattern(make: () => RegExp): () => RegExp {
  let made: RegExp | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
