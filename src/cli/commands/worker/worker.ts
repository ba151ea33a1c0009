import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { CliCommand } from '../../context/cli-command.ts';
import { logFormatOption } from '../../options/listening.ts';
import { addServerPathOptions, serverPaths } from '../server/places.ts';

interface WorkerOptions {
  readonly concurrency: number;
  readonly readyFile?: string;
}

export function addWorkerCommand(program: CliCommand): void {
  addServerPathOptions(
    program
      .command('worker')
      .description(
        'run the requests of a server, up to the point where an approval is needed; start as many workers as you like',
      ),
  )
    .option('--concurrency <number>', 'number of concurrent runs', parseConcurrency, 8)
    .addOption(logFormatOption())
    .option('--ready-file <file>', 'write the process ID to this file once the worker is ready')
    .examples(
      ['trade-agent worker', 'uses the server folder on this machine'],
      ['trade-agent worker --home /srv/trade-agent --concurrency 16', 'uses a copy of the folder on another machine'],
    )
    .serves(async (parts, output, { readyFile, concurrency }: WorkerOptions, command: CliCommand) => {
      const { serveWorker } = await import('../../../app/server/serve-worker.ts');
      await serveWorker(parts, {
        ...serverPaths(command, 'server'),
        env: command.cli.env,
        concurrency,
        ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
        ready: async ({ gateway, tenant, concurrency, home, pid }) => {
          await output.result(
            'worker',
            { gateway, tenant, concurrency, home, pid },
            () => `Worker             ${tenant}, at ${gateway}, ${concurrency} runs at once`,
          );
          parts.log.tell('Press Ctrl-C to stop. Other workers continue its runs.');
        },
      });
    });
}

function parseConcurrency(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 100) return number;
  throw new InvalidArgumentError('Choose a number from 1 to 100.');
}
