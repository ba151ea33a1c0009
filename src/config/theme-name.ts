/** Color themes, for `--theme`, `theme:` in config.yaml and `/theme` in the chat. */
export const themeNames = ['dark', 'light', 'color-blind', 'none'] as const;
export type ThemeName = (typeof themeNames)[number];
