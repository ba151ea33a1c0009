import { surplusMark, unseen } from './unseen.ts';

/*
 * Text from outside (a model, a broker, a server, a file) made fit to be shown: escape sequences could redraw the screen
 * and show another order than the one to approve, direction marks could turn a number around, and what has no width could
 * make two names look alike. Every pass here is linear: whoever sends the text also chooses how long it is.
 */

/**
 * ECMA-48 §5.3–5.6 and §8.3, with what xterm takes. What each stretches over holds no control but its own end, so that no
 * part of a text is looked at for more than one opening. A string that never ends loses its opening alone: a terminal would
 * swallow the rest, and what somebody wants to hide is better seen.
 */
const sequences = once(
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

const picture = '\\p{Extended_Pictographic}';
/** Letters of scripts that join, or that a joiner keeps apart: these three have no use for one, and a filler is no letter. */
const joined =
  '(?![\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}\\p{Default_Ignorable_Code_Point}])';
/** A joiner where it does something: within a picture of several, and between letters of such a script. */
const atWork = [
  `(?<=${picture}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?)\\u200d(?=${picture})`,
  `(?<=${joined}[\\p{L}\\p{M}])[\\u200c\\u200d](?=${joined}\\p{L})`,
].join('|');
/** A variation selector that is on no picture, and in no keycap. */
const idleSelector = `(?<!${picture}|[#*0-9](?=[\\ufe0e\\ufe0f]\\u20e3))[\\ufe0e\\ufe0f]`;

/** What is taken out of text, one character each: of the one set all but tabs, line feeds and joiners at work. */
const hidden = once(() => new RegExp(`(?![\\t\\n])(?!${atWork})${unseen().source}|${idleSelector}`, 'gu'));
const surplusMarks = once(() => new RegExp(surplusMark().source, 'gu'));

/** Nothing is removed from printable ASCII, tabs and line feeds. */
const plain = /^[\t\n\x20-\x7e]*$/;

/** `text` with hidden characters and surplus marks replaced by `instead`. */
export function replaceHidden(text: string, instead: (sign: string) => string): string {
  return plain.test(text) ? text : text.replace(hidden(), instead).replace(surplusMarks(), instead);
}

/** Text without anything that draws, rings, hides or reorders; keeps its lines. */
export function safeText(text: string): string {
  if (plain.test(text)) return text;
  const lines = text.toWellFormed().replace(sequences(), '').replace(lineBreaks, '\n');
  return replaceHidden(lines, () => '');
}

/** As {@link safeText}, on one line of at most `longest` UTF-16 code units; never cuts a character in two. */
export function safeLine(text: string, longest = Number.POSITIVE_INFINITY): string {
  const line = safeText(text).replace(/\s+/g, ' ').trim();
  if (line.length <= longest) return line;
  return `${line.slice(0, longest - 1).replace(/[\u200c\u200d]?[\ud800-\udbff]?$/, '')}…`;
}

/** For a person who decides by it: tabs, line feeds and what {@link safeText} would remove become visible marks. */
export function markedText(text: string): string {
  return replaceHidden(text.toWellFormed(), () => '\ufffd').replace(/[\t\n]/g, '\ufffd');
}

/** Unicode patterns are built only for text that is not plain: see `text/unseen.ts`. */
function once(make: () => RegExp): () => RegExp {
  let made: RegExp | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
