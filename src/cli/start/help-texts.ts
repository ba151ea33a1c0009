/**
 * The output of `--help` for 80 columns, by command (`''` for the program). The build fills it in. It is empty here,
 * because the program renders its help when it runs from source.
 */
export const helpTexts: Readonly<Record<string, string>> = {};
