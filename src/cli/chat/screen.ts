import { createContext, useContext } from 'react';

/** What every part of the chat's screen needs to know of the terminal. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly unicode: boolean;
  readonly color: boolean;
}

export const ScreenContext = createContext<Screen>({ columns: 80, rows: 24, unicode: true, color: true });

export function useScreen(): Screen {
  return useContext(ScreenContext);
}
