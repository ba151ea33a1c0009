import { styleText } from 'node:util';
import type { ThemeName } from '../../config/theme-name.ts';

/** The meaning of a color. Color is never the only cue: gains and losses have a sign, and warnings have a label. */
export type TextRole = 'gain' | 'loss' | 'accent' | 'muted' | 'warn' | 'danger' | 'strong';

/** One of the terminal's sixteen colors, which the person's own palette defines. Named as in Node and Ink. */
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

/** Colors by role. A role without a color is bold (`strong`), dim (`muted`), or not emphasized. */
export type Theme = Readonly<Partial<Record<TextRole, TerminalColor>>>;

export const themes: Readonly<Record<ThemeName, Theme>> = {
  dark: {
    gain: 'greenBright',
    loss: 'redBright',
    accent: 'cyanBright',
    warn: 'yellowBright',
    danger: 'redBright',
  },
  // Bright colors are not legible on white.
  light: { gain: 'green', loss: 'red', accent: 'blue', warn: 'magenta', danger: 'red' },
  // Almost everyone can tell blue from yellow (Okabe and Ito, Color Universal Design, 2008).
  'color-blind': {
    gain: 'blueBright',
    loss: 'yellow',
    accent: 'cyanBright',
    warn: 'yellowBright',
    danger: 'yellowBright',
  },
  none: {},
};

export const DEFAULT_THEME: ThemeName = 'dark';

export type Paint = (role: TextRole, text: string) => string;

/**
 * Creates functions that color text. @param color whether to use color; false (a pipe, NO_COLOR) overrides any theme
 */
export function createPaint(name: ThemeName, color: boolean): Paint {
  if (!color || name === 'none') return plainPaint;
  const theme = themes[name];
  return (role, text) => {
    if (text === '') return text;
    const format = theme[role] ?? (role === 'muted' ? 'dim' : role === 'strong' ? 'bold' : undefined);
    return format === undefined ? text : styleText(format, text, { validateStream: false });
  };
}

export const plainPaint: Paint = (_role, text) => text;

export function paintSignedAmount(paint: Paint, text: string): string {
  if (text.startsWith('+')) return paint('gain', text);
  return text.startsWith('-') ? paint('loss', text) : text;
}
