import type { ProviderFinding } from '../../../auth/provider/provider-check.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { Context } from '../../context/context.ts';
import { wrapWords } from '../../text/wrap.ts';

type ReportLine = Pick<ProviderFinding, 'status' | 'message' | 'fix'>;

export function providerFindingLines({ io }: Context, findings: readonly ReportLine[]): string[] {
  const signs = io.unicode ? { ok: '✓', warn: '!', fail: '✗' } : { ok: '+', warn: '!', fail: 'x' };
  const styles = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
  return findings.flatMap(({ status, message, fix }) => {
    const [first = '', ...rest] = wrapWords(safeLine(message), Math.max(20, io.width() - 2));
    const advice = fix === undefined ? [] : wrapWords(safeLine(`→ ${fix}`), Math.max(20, io.width() - 2));
    return [
      `${io.paint('stdout', styles[status], signs[status])} ${first}`,
      ...[...rest, ...advice].map((line) => `  ${line}`),
    ];
  });
}
