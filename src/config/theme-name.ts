/** Colours by name: `--theme`, `theme:` in config.yaml, `/theme` in the chat. What each is, the terminal's code says. */
export const themeNames = ['dark', 'light', 'colour-blind', 'none'] as const;
export type ThemeName = (typeof themeNames)[number];
