import { createContext, useContext } from 'react';

/** What every part of the chat's screen needs to know of the terminal. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly color: boolean;
  /** Read aloud: no frames, no spinners, nothing that is drawn only to be looked at. */
  readonly spoken: boolean;
}

export const ScreenContext = createContext<Screen>({
  columns: 80,
  rows: 24,
  unicode: true,
  color: true,
  spoken: false,
});

export function useScreen(): Screen {
  return useContext(ScreenContext);
}
