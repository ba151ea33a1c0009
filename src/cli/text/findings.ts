import type { Finding } from '../../app/doctor/finding.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { Io } from '../terminal/io.ts';
import { wrapWords } from './wrap.ts';

/** A doctor's findings, a paragraph each, and how many things are wrong. */
export function findingsText(io: Io, findings: readonly Finding[]): string {
  const signs = io.unicode
    ? { ok: '✓', warn: '!', fail: '✗', skip: '-' }
    : { ok: '+', warn: '!', fail: 'x', skip: '-' };
  const styles = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const room = Math.max(20, io.width() - width - 4);
  const indent = ' '.repeat(width + 4);
  const lines = findings.flatMap(({ check, status, message, fix }) => {
    const [first = '', ...rest] = wrapWords(safeLine(message), room);
    const advice = fix === undefined ? [] : wrapWords(safeLine(`fix: ${fix}`), room);
    return [
      `${io.paint('stdout', styles[status], signs[status])} ${check.padEnd(width)}  ${first}`,
      ...[...rest, ...advice].map((line) => `${indent}${line}`),
    ];
  });
  const wrong = findings.filter(({ status }) => status === 'fail').length;
  return [
    ...lines,
    '',
    wrong === 0 ? 'Nothing is wrong.' : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`,
  ].join('\n');
}
