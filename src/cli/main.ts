import { keepCompiledCode } from './compile-cache.ts';
import { preparedHelp } from './prepared-help.ts';
import { version } from './version.ts';

/**
 * The program's entry, called by bin/trade-agent.js. Ends the process itself once the output is flushed: a handle
 * somebody else left open (a pipe, an idle connection) must not keep a finished command alive.
 */
export async function main(argv: string[]): Promise<void> {
  // Before anything is loaded: scripts and shells ask for version and help often.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return print(`${version()}\n`);
  const help = await preparedHelp(argv, process.stdout);
  if (help !== undefined) return print(help);
  // Before the import below, or the program's own files are compiled anew at every start.
  keepCompiledCode();
  const { startProgram } = await import('./program.ts');
  const exitCode = await startProgram(argv);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

function print(text: string): void {
  // The reader may be gone, as with "| head": there is nobody to tell.
  process.stdout.once('error', () => process.exit(130));
  process.stdout.write(text);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}
