/**
 * What `--help` prints for 80 columns, by the command's words (`''` for the program itself). Rendered by commander when
 * the program is built; empty here, where the program runs from its sources and renders it anew.
 */
export const helpTexts: Readonly<Record<string, string>> = {};
