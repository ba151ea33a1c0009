import type { Finding } from '../../app/doctor/finding.ts';
import { safeLine } from '../../text/sanitize.ts';
import type { Io } from '../terminal/io.ts';
import { wrapWords } from './wrap.ts';

export function doctorFindingsText(io: Io, findings: readonly Finding[]): string {
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
  const countOf = (wanted: Finding['status']) => findings.filter(({ status }) => status === wanted).length;
  const [wrong, advised] = [countOf('fail'), countOf('warn')];
  return [
    ...lines,
    '',
    `${wrong === 0 ? 'No problems' : countText(wrong, 'problem')}${advised === 0 ? '' : `, ${countText(advised, 'recommendation')}`}.`,
  ].join('\n');
}

const countText = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
