/** What the pages of getting in, and those about it, add to the style of all. */
export const entryStyle = `
h1[tabindex]:focus { outline: none; }
p .mono { white-space: nowrap; }
[data-testid=code].mono { font-size: 1.25rem; }
footer { max-width: 34rem; margin: 0 auto; padding: 0 1rem 2rem; }
footer nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; border-top: 1px solid var(--line); padding-top: .5rem; }
footer a { display: inline-flex; align-items: center; min-height: 2.75rem; color: var(--soft); font-size: .9rem; }
input#code { padding-inline: .6rem; font-size: 1.15rem; letter-spacing: .02em; }
summary { min-height: 2.75rem; padding: .6rem 0; cursor: pointer; }
article h2 { margin: 0; color: var(--ink); }
form.card h2, div.card h2 { margin-top: 0; }
ul.recent form { margin: 0; }
`;
