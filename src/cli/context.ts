import type { App } from '../app/app.ts';
import { createApp } from '../app/create-app.ts';
import type { Output } from './output.ts';
import type { Cli, GlobalOptions } from './surroundings.ts';
import type { Interruption } from './terminal/interruption.ts';
import type { Io } from './terminal/io.ts';

/** What commands work with: the use cases' parts, and a terminal. */
export interface Context extends App {
  readonly io: Io;
  readonly output: Output;
  readonly interruption: Interruption;
}

export function createContext(
  cli: Cli,
  globals: GlobalOptions,
  output: Output,
  tell: (line: string) => void,
): Context {
  const { io, interruption } = cli;
  const ask = async (question: string) => {
    const { askSecret } = await import('./terminal/secret-input.ts');
    return askSecret(io, question, interruption.signal);
  };
  const app = createApp({
    env: cli.env,
    clock: cli.clock,
    fetch: cli.fetch,
    ...(cli.discreetFetch === undefined ? {} : { discreetFetch: cli.discreetFetch }),
    signal: interruption.signal,
    profileOption: globals.profile,
    tell,
    askSecret: io.interactive ? ask : undefined,
  });
  return Object.assign(app, { io, output, interruption });
}
