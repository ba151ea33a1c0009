/**
 * What `--help` prints for 80 columns, by the command's words (`''` for the program). The build fills it; it is empty
 * here, where the program runs from source and renders help itself.
 */
export const helpTexts: Readonly<Record<string, string>> = {};
