/**
 * The output of `--help` for 80 columns, by command (`''` for the program). The build fills this object. When the
 * program runs from source, the object is empty, and the program renders its help.
 */
export const helpTexts: Readonly<Record<string, string>> = {};
