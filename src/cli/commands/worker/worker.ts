import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { CliCommand } from '../../context/cli-command.ts';
import { addServerPlaces, placesOf } from '../server/places.ts';

interface WorkerOptions {
  readonly concurrency: number;
  readonly readyFile?: string;
}

export function addWorkerCommand(program: CliCommand): void {
  addServerPlaces(
    program
      .command('worker')
      .description(
        "do the work of a server: people's runs, each to where somebody is to decide; as many as you like",
      ),
  )
    .option('--concurrency <number>', 'runs that it drives at once', parseConcurrency, 8)
    .option('--ready-file <file>', 'write its process id there once it works')
    .examples(
      ['trade-agent worker', 'with the folder of the server on this machine'],
      ['trade-agent worker --home /srv/trade-agent --concurrency 16', 'with a copy of it on another'],
    )
    .serves(async (parts, output, { readyFile, concurrency }: WorkerOptions, command: CliCommand) => {
      const { serveWorker } = await import('../../../app/server/serve-worker.ts');
      await serveWorker(parts, {
        ...placesOf(command, 'server'),
        env: command.cli.env,
        concurrency,
        ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
        ready: async ({ gateway, tenant, concurrency, home, pid }) => {
          await output.result(
            'worker',
            { gateway, tenant, concurrency, home, pid },
            () => `Worker             ${tenant}, at ${gateway}, ${concurrency} runs at once`,
          );
          parts.tell('Ctrl-C ends it; what it has not done goes on at another.');
        },
      });
    });
}

function parseConcurrency(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 100) return number;
  throw new InvalidArgumentError('It is a whole number from 1 to 100.');
}
