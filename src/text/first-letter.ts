export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const lowercaseFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Capitalizes the first letter and adds a period unless the text already ends with a punctuation mark. */
export function toSentence(text: string): string {
  const capitalized = capitalize(text);
  return /[.!?]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
