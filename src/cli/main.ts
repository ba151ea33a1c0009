import { version } from './version.ts';

/**
 * The program's entry, called by bin/trade-agent.js. Ends the process itself once the output is flushed: a handle
 * somebody else left open (a pipe, an idle connection) must not keep a finished command alive.
 */
export async function main(argv: string[]): Promise<void> {
  // Before anything is loaded: scripts and shells ask for the version often.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const { startProgram } = await import('./program.ts');
  const exitCode = await startProgram(argv);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
