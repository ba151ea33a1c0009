import type { Command } from 'commander';
import type { Finding } from '../../../app/doctor/finding.ts';
import { exits } from '../../../app/exit-codes.ts';
import { safeLine } from '../../../net/shown-text.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';
import type { Io } from '../../terminal/io.ts';

interface DoctorOptions {
  readonly checkUpdates?: boolean;
}

export function addDoctorCommand(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .summary('check that everything works, and say how to fix what does not')
    .description(
      'Checks Node, the configuration, the credential store, the identity provider and what it supports, the clock, the gateway, the broker and the model. Starts nothing, changes nothing, and prints no secret.',
    )
    .option('--check-updates', 'also ask the npm registry whether there is a newer version')
    .addHelpText(
      'after',
      examples([
        ['trade-agent doctor', 'exit 1 when something is wrong'],
        ['trade-agent doctor --profile work --output json', 'to attach to a bug report'],
      ]) + exitCodes([]),
    )
    .action((options: DoctorOptions, command: Command) =>
      runCommand(cli, command, (context) => printDoctor(context, options)),
    );
}

async function printDoctor(context: Context, options: DoctorOptions): Promise<number> {
  const { doctor } = await import('../../../app/doctor/doctor.ts');
  const { ok, findings } = await doctor(context, { checkUpdates: options.checkUpdates === true });
  await context.output.result('doctor', { ok, findings }, () => findingsText(context.io, findings));
  return ok ? exits.done : exits.failed;
}

async function findingsText(io: Io, findings: readonly Finding[]): Promise<string> {
  const { wrapWords } = await import('../../text/wrap.ts');
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
