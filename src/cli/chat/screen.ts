import { createContext, useContext } from 'react';
import type { ThemeName } from '../../config/theme-name.ts';
import { defined } from '../../values/defined.ts';
import { toAscii } from '../text/ascii-text.ts';
import { DEFAULT_THEME, type Theme, themes } from '../text/theme.ts';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly color: boolean;
  readonly theme: ThemeName;
  /** Whether a screen reader is used. In that case, there are no frames, spinners or drawings. */
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

export function useTheme(): Theme {
  const { color, theme } = useScreen();
  return color ? themes[theme] : {};
}

export function colorProps(color: Theme[keyof Theme]): { color?: string } {
  return defined({ color });
}

export function borderColorProps(color: Theme[keyof Theme]): { borderColor?: string } {
  return defined({ borderColor: color });
}

export function useScreenText(): (text: string) => string {
  const { unicode } = useScreen();
  return unicode ? (text) => text : toAscii;
}
