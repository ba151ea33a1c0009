import { writeFileSync } from 'node:fs';
import { exits } from '../../app/exit-codes.ts';
import { version } from '../../app/version.ts';
import { type Bundle, openBundle } from './bundle-loader.ts';
import { compiledFile } from './compile-cache.ts';
import { preparedHelp } from './prepared-help.ts';

/** By then everything a command does at its start has run. */
const KEEP_AFTER_MS = 10_000;

/**
 * The program's entry, called by bin/trade-agent.js. Ends the process itself once the output is flushed: a handle left
 * open elsewhere (a pipe, an idle connection) must not keep a finished command alive.
 */
export async function main(argv: string[]): Promise<void> {
  // An empty HOME would make the user's folders relative; without it the system's user database is asked.
  if (process.env.HOME === '') delete process.env.HOME;
  // Before anything is loaded: scripts and shells ask for version and help often.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return print(`${version()}\n`);
  const help = await preparedHelp(argv, process.stdout);
  if (help !== undefined) return print(help);
  keepMemoryOutOfCoreDumps();
  const bundle = bundled(argv);
  const { startProgram } =
    bundle === undefined
      ? await import('../program.ts')
      : (bundle.load('program.cjs') as typeof import('../program.ts'));
  // A chat or sandbox may end in ways that leave no time for it.
  if (bundle !== undefined) setTimeout(() => bundle.keepCompiled(), KEEP_AFTER_MS).unref();
  const exitCode = await startProgram(argv);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // After a wrong command line there is nothing worth keeping.
  if (exitCode !== exits.usage) bundle?.keepCompiled();
  process.exit(exitCode);
}

function bundled([name = 'chat']: readonly string[]): Bundle | undefined {
  const build = process.env.TRADE_AGENT_BUNDLE;
  if (build === undefined) return undefined;
  return openBundle(
    new URL('./', import.meta.url),
    compiledFile(/^[a-z]+$/.test(name) ? name : 'any'),
    build,
  );
}

function print(text: string): void {
  // The reader may be gone, as with "| head": there is nobody to tell.
  process.stdout.once('error', () => process.exit(exits.interrupted));
  process.stdout.write(text);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}

/**
 * Keeps this process's memory, and so its tokens, out of core dumps, and its children's too: `coredump_filter`
 * (core(5)) says which memory is dumped, here none. Linux only.
 */
function keepMemoryOutOfCoreDumps(platform: NodeJS.Platform = process.platform): void {
  if (platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // A kernel without core dumps, or no /proc.
  }
}
