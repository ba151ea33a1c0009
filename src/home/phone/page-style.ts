import { cardStyle } from './decision/card-style.ts';

/** The pages' one style sheet: phone first, light and dark, system fonts, contrast AA or better throughout. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f4f3ef; --card: #ffffff; --line: #d9d6cd; --ink: #1b1d21; --soft: #595d66;
  --go: #0f6b43; --go-ink: #ffffff; --stop: #a3201d; --field: #ffffff;
  --paper-ground: #eef2fb; --paper-ink: #24407e; --paper-line: #24407e;
  --live-ground: #7a1512; --live-ink: #ffffff; --note: #fdf3d9; --note-ink: #5a4300; --note-line: #c99a1a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131519; --card: #1d2026; --line: #363b45; --ink: #eceef2; --soft: #a9afbb;
    --go: #35b37e; --go-ink: #06170f; --stop: #ff8a80; --field: #14161b;
    --paper-ground: #1b2538; --paper-ink: #b6cbff; --paper-line: #7f9be0;
    --live-ground: #8c1d18; --live-ink: #ffffff; --note: #2e2710; --note-ink: #f3dc9a; --note-line: #a98420;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.sandbox {
  margin: 0; padding: .2rem 1rem; text-align: center; border-bottom: 1.5px dashed var(--soft);
  color: var(--soft); font-size: .75rem; font-weight: 650; letter-spacing: .06em;
}
header {
  display: flex; align-items: center; justify-content: space-between; gap: .75rem;
  max-width: 34rem; min-height: 3.25rem; margin: 0 auto; padding: .25rem 1rem;
}
header .name { font-weight: 650; white-space: nowrap; }
header form { display: flex; align-items: center; gap: .75rem; margin: 0; min-width: 0; }
header form span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
main { max-width: 34rem; margin: 0 auto; padding: 0 1rem 2rem; }
h1 { margin: .5rem 0; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; }
.title { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1rem; color: var(--soft); font-weight: 650; }
p { margin: .5rem 0; }
a { color: inherit; text-underline-offset: .2em; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.card {
  margin: 1rem 0; padding: 1.1rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem;
}
label { display: block; margin: .9rem 0 .3rem; font-weight: 600; }
input[type=text], input[type=password] {
  width: 100%; min-height: 3.25rem; padding: .6rem .9rem; border: 1.5px solid var(--soft); border-radius: .75rem;
  background: var(--field); color: var(--ink); font: inherit; font-size: 1.1rem;
}
input.code { text-transform: uppercase; letter-spacing: .14em; font: 650 1.5rem/1.2 ui-monospace, Menlo, Consolas, monospace; }
:focus-visible { outline: 3px solid var(--paper-line); outline-offset: 2px; }
button {
  min-height: 3.25rem; padding: .6rem 1.2rem; border-radius: .85rem; border: 2px solid transparent;
  font: inherit; font-size: 1.05rem; font-weight: 650; cursor: pointer;
}
button.go, a.go { background: var(--go); color: var(--go-ink); }
a.go { display: flex; align-items: center; justify-content: center; min-height: 3.25rem; padding: .6rem 1.2rem; border-radius: .85rem; font-size: 1.05rem; font-weight: 650; text-align: center; text-decoration: none; }
button.stop { background: transparent; color: var(--stop); border-color: var(--stop); }
button.quiet { min-height: 2.75rem; background: transparent; color: var(--soft); border-color: var(--line); font-size: .9rem; padding: .3rem .8rem; white-space: nowrap; }
button:disabled, button[aria-disabled], button[aria-busy] { opacity: .45; cursor: default; }
.wide { width: 100%; margin-top: 1rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1rem; }
.note { margin: 1rem 0; padding: .8rem 1rem; border: 1px solid var(--note-line); border-left-width: .4rem; border-radius: .6rem; background: var(--note); color: var(--note-ink); }
.note strong { display: block; }
.problem { margin: .5rem 0; padding: .7rem 1rem; border: 2px solid var(--stop); border-radius: .6rem; color: var(--stop); font-weight: 600; }
.headline { margin: 0; font-size: 1.75rem; line-height: 1.2; font-weight: 700; letter-spacing: -.015em; overflow-wrap: anywhere; }
.codebox { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .25rem 1rem; margin: .75rem 0; padding: .7rem 1rem; border: 1px solid var(--line); border-radius: .8rem; background: var(--ground); }
dl { margin: .75rem 0 0; }
dl > div { display: grid; grid-template-columns: 8.5rem 1fr; gap: .75rem; padding: .3rem 0; border-top: 1px solid var(--line); }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dl > div:has(> dd[data-field="text"]) { grid-template-columns: 1fr; gap: .15rem; }
dd[data-field="text"] { white-space: pre-wrap; }
dl.technical { font-size: .8125rem; }
dl.technical dd { font-family: ui-monospace, Menlo, Consolas, monospace; }
.empty { text-align: center; padding: 2rem 1rem; }
ul.recent { list-style: none; margin: 0; padding: 0; }
ul.recent li { display: flex; justify-content: space-between; gap: 1rem; padding: .7rem 0; border-top: 1px solid var(--line); }
ul.recent:empty::before { content: "Nothing yet."; color: var(--soft); }
ul.recent li > :first-child { min-width: 0; overflow-wrap: anywhere; }
.mono { font-family: ui-monospace, Menlo, Consolas, monospace; letter-spacing: .06em; }
.note ul { margin: 0; padding-left: 1.1rem; }
.environment { display: flex; align-items: center; gap: .6rem; margin: -1.1rem -1.1rem 1rem; padding: .6rem 1.1rem; border-radius: 1rem 1rem 0 0; }
.environment strong { letter-spacing: .12em; }
.environment.paper { background: var(--paper-ground); color: var(--paper-ink); border-bottom: 2px dashed var(--paper-line); }
.environment.live { background: var(--live-ground); color: var(--live-ink); border-bottom: 6px double var(--live-ink); }
${cardStyle}
@media (prefers-reduced-motion: no-preference) { .card { animation: arrive .2s ease-out; } .card.request { animation: none; } @keyframes arrive { from { opacity: 0; transform: translateY(.3rem); } } }
`;
