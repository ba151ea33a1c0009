import { createContext, useContext } from 'react';
import type { ThemeName } from '../../config/theme-name.ts';
import { defined } from '../../values/defined.ts';
import { asciiText } from '../text/ascii-text.ts';
import { DEFAULT_THEME, type Theme, themes } from '../text/theme.ts';

/** What every part of the chat's screen needs to know of the terminal. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly color: boolean;
  readonly theme: ThemeName;
  /** Read aloud: no frames, no spinners, nothing that is drawn only to be looked at. */
  readonly spoken: boolean;
}

export const ScreenContext = createContext<Screen>({
  columns: 80,
  rows: 24,
  unicode: true,
  color: true,
  theme: DEFAULT_THEME,
  spoken: false,
});

export function useScreen(): Screen {
  return useContext(ScreenContext);
}

/** Colours by what they say; none where the terminal takes none. */
export function useTheme(): Theme {
  const { color, theme } = useScreen();
  return color ? themes[theme] : {};
}

/** As Ink takes it: a colour, or nothing at all. */
export function inColor(color: Theme[keyof Theme]): { color?: string } {
  return defined({ color });
}

export function inBorder(color: Theme[keyof Theme]): { borderColor?: string } {
  return defined({ borderColor: color });
}

/** Text as this terminal can show it. */
export function useScreenText(): (text: string) => string {
  const { unicode } = useScreen();
  return unicode ? (text) => text : asciiText;
}
