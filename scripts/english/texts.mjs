// What a source or a page says in English: its comments, the strings that people may read, and a page's prose.
import { readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';

/** Two words beside each other: shorter strings are keys, codes and units. */
const SENTENCE = /[A-Za-z]{2,}[,.:;!?]? +[A-Za-z(“"'$]/;
/** SQL, style sheets and browser scripts are for machines. */
const SQL = /^\s*(select|insert|update|delete|with|create|alter|drop|from|where|order by|on conflict)\b/i;

/** @returns {{kind: 'comment' | 'string' | 'prose', line: number, text: string}[]} */
export function textsIn(file, text = readFileSync(file, 'utf8')) {
  return file.endsWith('.md') ? proseIn(text) : textsInSource(file, text);
}

function textsInSource(file, text) {
  const lineAt = lineCounter(text);
  const { program, comments } = parseSync(file, text);
  return [...joinedComments(comments, lineAt), ...stringsIn(program, lineAt)].sort((a, b) => a.line - b.line);
}

function lineCounter(text) {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

/** Joins line comments on consecutive lines into one text, and drops the asterisks of block comments. */
function joinedComments(comments, lineAt) {
  const joined = [];
  let lastLine = 0;
  for (const { type, value, start, end } of comments) {
    const line = lineAt(start);
    const last = joined.at(-1);
    if (type === 'Line' && last?.type === 'Line' && line === lastLine + 1) last.text += ` ${value.trim()}`;
    else joined.push({ kind: 'comment', type, line, text: value.replaceAll(/^\s*\*+ ?/gm, '').trim() });
    lastLine = lineAt(end);
  }
  return joined;
}

/** A string's, a template's or an element's text; empty for other nodes. */
function textOf({ type, value, quasis }) {
  if (type === 'JSXText') return value.replaceAll(/\s+/g, ' ');
  if (type === 'TemplateLiteral') return quasis.map((part) => part.value.cooked).join('…');
  return type === 'Literal' && typeof value === 'string' ? value : '';
}

const isForPeople = (text) => SENTENCE.test(text) && !SQL.test(text) && !/[{;]\s*\n/.test(text);

function stringsIn(program, lineAt) {
  const found = [];
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== 'object') return;
    if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return;
    const text = textOf(node);
    if (isForPeople(text)) found.push({ kind: 'string', line: lineAt(node.start), text });
    for (const child of Object.values(node)) visit(child);
  };
  visit(program);
  return found;
}

/** A page's paragraphs and table rows, without code, link targets and quoted words. */
function proseIn(text) {
  const withoutBlocks = text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replaceAll(/[^\n]/g, ''));
  return withoutBlocks.split('\n').flatMap((line, index) => {
    const prose = line.replaceAll(/`[^`]*`/g, '`…`').replaceAll(/\]\([^)]*\)/g, ']');
    return SENTENCE.test(prose) ? [{ kind: 'prose', line: index + 1, text: prose }] : [];
  });
}
