import { createApp } from '../../app/create-app.ts';
import type { ThemeName } from '../../config/theme-name.ts';
import { defined } from '../../values/defined.ts';
import { createAttention, noAttention } from '../terminal/attention.ts';
import { createPaint, DEFAULT_THEME, plainPaint } from '../text/theme.ts';
import type { Cli, GlobalOptions } from './cli.ts';
import type { Output } from './output.ts';

export type Context = Readonly<ReturnType<typeof createContext>>;

export function createContext(cli: Cli, globals: GlobalOptions, output: Output, tell: (line: string) => void) {
  const { io, interruption } = cli;
  const ask = async (question: string) => {
    const { promptForSecret } = await import('../terminal/secret-input.ts');
    return promptForSecret(io, question, interruption.signal);
  };
  const app = createApp({
    env: cli.env,
    clock: cli.clock,
    fetch: cli.fetch,
    ...defined({ redactedFetch: cli.redactedFetch }),
    signal: interruption.signal,
    profileOption: globals.profile,
    serverOption: globals.server,
    accountOption: globals.account,
    tell,
    askSecret: io.interactive ? ask : undefined,
  });
  let chosen = globals.theme;
  const theme = async () => chosen ?? (await app.config()).theme ?? DEFAULT_THEME;
  return Object.assign(app, {
    io,
    output,
    interruption,
    theme,
    chooseTheme: (name: ThemeName) => {
      chosen = name;
    },
    /** Returns an object that alerts a person who is looking elsewhere, or does nothing if alerts are turned off. */
    attention: async () =>
      io.stderrIsTty ? createAttention(io, cli.env, (await app.config()).attention !== false) : noAttention,
    // The theme is not read if there is no color.
    paint: async () => (io.color.stdout ? createPaint(await theme(), true) : plainPaint),
  });
}
