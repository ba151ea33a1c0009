import { writeFileSync } from 'node:fs';
import { exitCodes } from '../../app/exit-codes.ts';
import { version } from '../../app/version.ts';
import { type Bundle, openBundle } from './bundle-loader.ts';
import { compiledCodeFile } from './compile-cache.ts';
import { loadPrerenderedHelp } from './prerendered-help.ts';

/** Delay before the compiled code is stored, in milliseconds. By then, all of a command's startup code has run. */
const STORE_CODE_DELAY_MS = 10_000;

/**
 * The program's entry point, called by bin/trade-agent.js. Exits as soon as the output is flushed, because an open
 * handle (a pipe, an idle connection) would keep a finished command alive.
 */
export async function main(argv: string[]): Promise<void> {
  // Removes an empty HOME, because the user's folders would be relative to it. Without HOME, Node asks the system's
  // user database.
  if (process.env.HOME === '') delete process.env.HOME;
  // Answers before anything is loaded, because scripts and shells often run --version and --help.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return print(`${version()}\n`);
  const help = await loadPrerenderedHelp(argv, process.stdout);
  if (help !== undefined) return print(help);
  keepMemoryOutOfCoreDumps();
  const bundle = openOwnBundle(argv);
  const { startProgram } =
    bundle === undefined
      ? await import('../program.ts')
      : (bundle.load('program.cjs') as typeof import('../program.ts'));
  // Stores the code while the program runs, because a chat or sandbox may be killed before it exits.
  if (bundle !== undefined) setTimeout(() => bundle.storeCompiledCode(), STORE_CODE_DELAY_MS).unref();
  const exitCode = await startProgram(argv);
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  // After a usage error, no new code worth storing has run.
  if (exitCode !== exitCodes.usage) bundle?.storeCompiledCode();
  process.exit(exitCode);
}

function openOwnBundle([name = 'chat']: readonly string[]): Bundle | undefined {
  const build = process.env.TRADE_AGENT_BUNDLE;
  if (build === undefined) return undefined;
  return openBundle(new URL('./', import.meta.url), compiledCodeFile(/^[a-z]+$/.test(name) ? name : 'any'), build);
}

function print(text: string): void {
  // Exits if the reader has closed the pipe, as with "| head".
  process.stdout.once('error', () => process.exit(exitCodes.interrupted));
  process.stdout.write(text);
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}

/**
 * Keeps the memory of this process and its children, which contains tokens, out of core dumps. Sets `coredump_filter`
 * (core(5)) to dump nothing. Linux only.
 */
function keepMemoryOutOfCoreDumps(platform: NodeJS.Platform = process.platform): void {
  if (platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // The kernel doesn't support core dumps, or there is no /proc.
  }
}
