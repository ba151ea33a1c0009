import { applyEdits, modify, type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { type Format, TextError } from './format.ts';

/** JSON as programs keep their settings in it, with the file's own indentation. @param comments whether it may have them */
export function jsonFormat(comments: boolean): Format {
  return {
    parse(text) {
      if (text.trim() === '') return {};
      const errors: ParseError[] = [];
      const value: unknown = parse(withoutMark(text), errors, {
        allowTrailingComma: comments,
        disallowComments: !comments,
      });
      const [first] = errors;
      if (first !== undefined) {
        const said = printParseErrorCode(first.error)
          .replace(/([a-z])([A-Z])/g, '$1 $2')
          .toLowerCase();
        throw new TextError(`not JSON: ${said}`, ...placeOf(withoutMark(text), first.offset));
      }
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new TextError('not an object', 1, 1);
      }
      return value as Record<string, unknown>;
    },
    set(text, path, entry) {
      const bare = withoutMark(text);
      const formattingOptions = {
        insertSpaces: !/^\t/m.test(bare),
        tabSize: /^( +)\S/m.exec(bare)?.[1]?.length ?? 2,
        eol: bare.includes('\r\n') ? '\r\n' : '\n',
      };
      // As the first of its section: the lines of the others, with what stands behind them, are not touched.
      const options = { formattingOptions, getInsertionIndex: () => 0 };
      const edited = applyEdits(bare, modify(bare, [...path], entry, options));
      const mark = text.slice(0, text.length - bare.length);
      return `${mark}${edited}${bare.trim() === '' ? '\n' : ''}`;
    },
    show: ([, name], entry) => `${JSON.stringify(name)}: ${JSON.stringify(entry, undefined, 2)}`,
  };
}

/** Some editors of Windows begin a file with a byte order mark. */
const withoutMark = (text: string) => text.replace(/^\ufeff/, '');

function placeOf(text: string, offset: number): [line: number, column: number] {
  const before = text.slice(0, offset).split('\n');
  return [before.length, (before.at(-1)?.length ?? 0) + 1];
}
