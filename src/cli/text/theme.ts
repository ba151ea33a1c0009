import { styleText } from 'node:util';
import type { ThemeName } from '../../config/theme-name.ts';

/** What a colour says. Nothing is said by colour alone: gains and losses carry a sign, warnings a word. */
export type Role = 'gain' | 'loss' | 'accent' | 'muted' | 'warn' | 'danger' | 'strong';

/** One of the terminal's own sixteen colours, so that a person's palette holds; names as Node and Ink have them. */
type TerminalColor =
  | 'red'
  | 'green'
  | 'yellow'
  | 'blue'
  | 'cyan'
  | 'magenta'
  | 'redBright'
  | 'greenBright'
  | 'yellowBright'
  | 'blueBright'
  | 'cyanBright';

/** Colours by role; a role without one is told from the rest by weight (`strong`, `muted`) or not at all. */
export type Theme = Readonly<Partial<Record<Role, TerminalColor>>>;

export const themes: Readonly<Record<ThemeName, Theme>> = {
  dark: {
    gain: 'greenBright',
    loss: 'redBright',
    accent: 'cyanBright',
    warn: 'yellowBright',
    danger: 'redBright',
  },
  // Bright colours can't be read on white.
  light: { gain: 'green', loss: 'red', accent: 'blue', warn: 'magenta', danger: 'red' },
  // Blue and yellow are told apart by nearly everybody (Okabe and Ito, Color Universal Design, 2008).
  'colour-blind': {
    gain: 'blueBright',
    loss: 'yellow',
    accent: 'cyanBright',
    warn: 'yellowBright',
    danger: 'yellowBright',
  },
  none: {},
};

export const DEFAULT_THEME: ThemeName = 'dark';

/** Sets text off by what it says. */
export type Paint = (role: Role, text: string) => string;

/** @param color whether the stream takes colours at all: NO_COLOR and a pipe win over any theme */
export function painter(name: ThemeName, color: boolean): Paint {
  if (!color || name === 'none') return plainPaint;
  const theme = themes[name];
  return (role, text) => {
    if (text === '') return text;
    const format = theme[role] ?? (role === 'muted' ? 'dim' : role === 'strong' ? 'bold' : undefined);
    return format === undefined ? text : styleText(format, text, { validateStream: false });
  };
}

/** Text as it is. */
export const plainPaint: Paint = (_role, text) => text;

/** An amount or a percentage in the colour of its own sign; nothing for what is neither gain nor loss. */
export function signed(paint: Paint, text: string): string {
  if (text.startsWith('+')) return paint('gain', text);
  return text.startsWith('-') ? paint('loss', text) : text;
}
