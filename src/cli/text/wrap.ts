import stringWidth from 'string-width';

/**
 * Breaks a text between words so that no line is wider than `width` columns; lines after the first begin with
 * `indent`. A single word that is too wide stays whole.
 */
export function wrapWords(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
