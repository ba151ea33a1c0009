import { asciiText } from '../text/ascii-text.ts';
import { useScreen } from './screen.ts';

/** Text as this terminal can show it. */
export function useScreenText(): (text: string) => string {
  const { unicode } = useScreen();
  return unicode ? (text) => text : asciiText;
}
