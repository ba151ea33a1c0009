import type { Node, SourceFile } from 'typescript/unstable/ast';
import {
  isArrowFunction,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isMethodDeclaration,
  isSetAccessorDeclaration,
} from 'typescript/unstable/ast/is';
import { nodesOf, readParsed, type Source } from './sources.ts';

/** Lines. */
const LONGEST_FUNCTION = 120;
const LONGEST_FILE = 600;

/** How a comment before a file's first statement begins that says why it may be longer, or a function in it. */
const EXCUSE = /^\s*(?:\/\/|\/?\*+)\s*Long because \S/m;

/** What is too long, as sentences. */
export function tooLong(sources: readonly Source[]): string[] {
  return readParsed(sources, (parsed, { file, text }) => {
    if (EXCUSE.test(text.slice(0, parsed.statements[0]?.getStart() ?? text.length))) return [];
    const lines = text.trimEnd().split('\n').length;
    return [
      ...(lines > LONGEST_FILE ? [`${file} has ${lines} lines`] : []),
      ...longFunctions(parsed).map(({ name, length }) => `${name} in ${file} has ${length} lines`),
    ];
  }).flat();
}

function longFunctions(parsed: SourceFile): { name: string; length: number }[] {
  const lineOf = (position: number) => parsed.getLineAndCharacterOfPosition(position).line;
  return [...nodesOf(parsed)].filter(isFunction).flatMap((node) => {
    const start = lineOf(node.getStart());
    const length = lineOf(node.getEnd()) - start + 1;
    if (length <= LONGEST_FUNCTION) return [];
    const name = 'name' in node && node.name !== undefined ? (node.name as Node).getText() : 'a function';
    return [{ name: `${name} at line ${start + 1}`, length }];
  });
}

function isFunction(node: Node): boolean {
  return [
    isFunctionDeclaration,
    isFunctionExpression,
    isArrowFunction,
    isMethodDeclaration,
    isConstructorDeclaration,
    isGetAccessorDeclaration,
    isSetAccessorDeclaration,
  ].some((is) => is(node));
}
