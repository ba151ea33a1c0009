/**
 * The style of the decision card, the bar under it, the list above it, results and history: part of the page's one
 * sheet. `--bar` is the bar's height, as the script measured it.
 */
export const cardStyle = `
:root { --buy: #1f4fae; --sell: #8a3f00; --bar: 9.5rem; scroll-padding-bottom: calc(var(--bar) + 1rem); }
@media (prefers-color-scheme: dark) { :root { --buy: #9dbcff; --sell: #ffb877; } }
.sign { width: 1em; height: 1em; fill: currentColor; flex: none; vertical-align: -.11em; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.words { overflow-wrap: anywhere; }
.buy { --side: var(--buy); } .sell { --side: var(--sell); }
span.buy, span.sell { color: var(--side); }
.title { flex-wrap: wrap; align-items: center; gap: 0 1rem; min-height: 2.5rem; }
.title h1 { margin: 0; font-size: 1.15rem; }
.title [role=status] { flex: 1; }
.title a { display: inline-flex; align-items: center; min-height: 2.75rem; }

.card.request { position: relative; margin: .25rem 0 0; padding: 0 .9rem .25rem; overflow: clip; border-top: 0; }
.card.request.buy::before, .card.request.sell::before { content: ""; position: absolute; inset: 0 auto 0 0; width: .35rem; background: var(--side); }
.card.request.sell::before { inset: 0 0 0 auto; }
.request p, .request dl { margin: .3rem 0 0; }
.request .environment { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .5rem; margin: 0 -.9rem .4rem; padding: .25rem .9rem; border-radius: 0; font-size: .875rem; }
.request .environment strong { font-size: 1.05rem; letter-spacing: .12em; }
.request .amount { margin: 0; font-size: 1.1rem; font-weight: 600; line-height: 1.15; color: var(--soft); overflow-wrap: anywhere; }
.request .amount strong { font-size: 2.35rem; font-weight: 700; letter-spacing: -.02em; color: var(--ink); font-variant-numeric: tabular-nums; }
.request .amount.unbounded { padding: .5rem .7rem; border: 2px solid var(--stop); border-radius: .6rem; color: var(--stop); }
.request .worst { margin: 0; font-size: .875rem; color: var(--soft); font-variant-numeric: tabular-nums; }
.request .headline { display: flex; align-items: center; gap: .5rem; margin: .45rem 0 0; color: var(--ink); font-size: 1.4rem; line-height: 1.2; outline: 0; }
.request .headline .sign { width: 1.35rem; height: 1.35rem; color: var(--side); }
.request.buy .headline .sign { order: -1; }
.request.sell .headline { justify-content: space-between; }
.request .terms { margin-top: .1rem; }
.request dl { font-size: .9375rem; line-height: 1.4; }
.request dl > div { grid-template-columns: 7.5rem 1fr; gap: .5rem; padding: .16rem 0; }
.request dl.shows, .request dl.origins { margin-top: .45rem; }
.request dl.shows, .request dl.origins { font-size: .9rem; }
.request dl.shows > div, .request dl.origins > div { grid-template-columns: 4.4rem 1fr; }
.request dl.origins dd { font-style: italic; }
.request .note { margin: .5rem 0 0; padding: .35rem .7rem; font-size: .9375rem; line-height: 1.35; }
.request .note p { margin: .2rem 0 0; }
.asked { font-size: .875rem; line-height: 1.4; }
.asked .unknown { color: var(--stop); }
.request .codebox { flex-wrap: nowrap; margin: .45rem 0 0; padding: .3rem .8rem; font-size: .9375rem; }
.codebox .value, .codes .value { font: 700 1.5rem/1.2 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .1em; white-space: nowrap; }
.bar .codes { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .5rem; margin: 0 auto .5rem; }
.bar .about b { color: var(--ink); }
.codes label { position: relative; display: flex; align-items: center; justify-content: center; min-height: 2.85rem; margin: 0; border: 2px solid var(--soft); border-radius: .7rem; background: var(--field); cursor: pointer; }
.codes input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.codes .value { font-size: 1.2rem; letter-spacing: .04em; }
.codes label:has(:checked) { border-color: var(--ink); background: var(--ink); color: var(--card); }
.codes label:has(:focus-visible) { outline: 3px solid var(--paper-line); outline-offset: 2px; }
.confirm label { display: grid; grid-template-columns: minmax(0, 1fr) 6.5rem; align-items: center; gap: .75rem; margin: .45rem 0 0; font-size: .875rem; font-weight: 400; line-height: 1.35; }
.confirm input { min-height: 2.75rem; text-transform: uppercase; }
.all { margin-top: .35rem; }
.all summary { display: flex; align-items: center; min-height: 2.75rem; padding: 0; color: var(--soft); font-weight: 600; cursor: pointer; }
.all summary::before { content: ""; width: .5em; height: .5em; margin: 0 .6em 0 .2em; border: solid currentColor; border-width: 0 2px 2px 0; transform: rotate(-45deg); }
.all[open] summary::before { transform: rotate(45deg); }

.bar { position: fixed; inset: auto 0 0; z-index: 2; padding: .5rem max(1rem, env(safe-area-inset-right)) calc(.75rem + env(safe-area-inset-bottom)) max(1rem, env(safe-area-inset-left)); border-top: 1px solid var(--line); background: var(--card); box-shadow: 0 -.3rem 1rem rgb(0 0 0 / .08); }
.bar > * { max-width: 32rem; margin-inline: auto; }
body:has(.bar) { padding-bottom: calc(var(--bar) + env(safe-area-inset-bottom)); }
main:has(.bar) { padding-bottom: 1.5rem; }
.bar .said:empty { display: none; }
.bar .said { margin: 0 auto .4rem; padding: .3rem .7rem; border: 0 solid var(--stop); border-left-width: .3rem; border-radius: .3rem; background: var(--ground); color: var(--ink); font-weight: 400; font-size: .9375rem; line-height: 1.35; }
.bar .said.problem strong { color: var(--stop); }
.bar .said.doing { border-color: var(--soft); }
.bar .expiry { display: flex; justify-content: space-between; gap: 1rem; margin: 0 auto .4rem; font-size: .875rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.bar .expiry .about { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--soft); }
.bar .expiry strong { white-space: nowrap; }
.bar .expiry .soon { color: var(--stop); }
.bar .pair { gap: .6rem; margin-top: 0; }
.bar button { display: flex; flex-direction: column; align-items: center; justify-content: center; min-width: 0; min-height: 3.5rem; padding: .3rem .5rem; line-height: 1.15; }
.bar button .act { display: -webkit-box; max-width: 100%; overflow: hidden; font-size: .875rem; font-weight: 500; overflow-wrap: anywhere; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }
.bar .instead { display: flex; align-items: center; margin: 0; font-size: .875rem; line-height: 1.3; }
.no-script { display: none !important; }
@media (scripting: none) { #state { display: none; } .needs-script { display: none !important; } .no-script { display: block !important; } }

#others ul, ul.recent, ol.history { list-style: none; margin: 0; padding: 0; }
#others { margin: 0 0 .5rem; }
#others ul { max-height: 7.1rem; overflow-y: auto; border: 1px solid var(--line); border-radius: .8rem; background: var(--card); }
#others li + li { border-top: 1px solid var(--line); }
#others a { display: grid; grid-template-columns: 1fr auto 3.4rem; align-items: center; gap: .6rem; min-height: 2.85rem; padding: .25rem .8rem; font-size: .9375rem; text-decoration: none; font-variant-numeric: tabular-nums; }
#others .what .sign { margin-right: .45rem; }
#others .what { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
#others .much { font-weight: 650; }
#others .left { color: var(--soft); text-align: right; }
#more:empty { display: none; }
.mark { padding: .05rem .35rem; border: 1px solid currentColor; border-radius: .3rem; font-size: .75rem; font-weight: 700; letter-spacing: .06em; }
.mark.live { border-color: var(--live-ground); background: var(--live-ground); color: var(--live-ink); }
.mark.paper { border-style: dashed; color: var(--paper-ink); }

#earlier > summary[hidden] { display: none; }
.card.result { position: relative; margin: .25rem 0 .6rem; padding: .7rem 1rem .8rem; outline-offset: -3px; }
.result p { margin: 0; }
.result .standing { display: flex; align-items: center; gap: .5rem; font-size: 1.1rem; }
.result.done .standing { color: var(--go); } .result.no .standing { color: var(--stop); } .result.ask .standing { color: var(--note-ink); }
@media (prefers-color-scheme: light) { .result.done .standing { color: #0f6b43; } }
.result .headline { margin: .2rem 6rem 0 0; font-size: 1.25rem; }
.result [data-testid=outcome] { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.result .quiet { position: absolute; top: .45rem; right: .6rem; }
#phone:has(#stage > *) #lately, main:has(#stage > *) .ring { display: none; }
#lately h2 { margin-top: 1.5rem; }
/* All of it is on the screen above. */
#lately:has(li):not(:has(li:not([hidden]))) { display: none; }

ul.recent li[hidden] { display: none; }
ul.recent .outcome, ol.history .outcome { display: inline-flex; align-items: center; gap: .35rem; font-weight: 650; white-space: nowrap; }
ol.history li { padding: .7rem 0; border-top: 1px solid var(--line); }
ol.history p { margin: 0; font-variant-numeric: tabular-nums; }
ol.history .first { display: flex; align-items: baseline; gap: .45rem; }
ol.history .first .much { margin-left: auto; padding-left: .75rem; font-weight: 650; white-space: nowrap; }
ol.history .first .much.not { color: var(--soft); font-weight: 400; }
ol.history .second { display: flex; align-items: center; gap: .45rem; }
ol.history .second .mark { margin-left: auto; }
ol.history .third { font-size: .875rem; }
.pages { display: flex; gap: 1.5rem; }
.pages a { display: inline-flex; align-items: center; min-height: 2.75rem; }

@media (max-width: 22rem) {
  .card.request { padding-inline: .75rem; }
  .request .environment { margin-inline: -.75rem; padding-inline: .75rem; }
  .request .amount strong { font-size: 2rem; }
  .request .codebox { flex-wrap: wrap; }
  #others a { grid-template-columns: 1fr auto; } #others .left { grid-column: 2; grid-row: 2; } #others .what { white-space: normal; grid-row: 1 / 3; }
}
@media (max-width: 15rem) {
  header { gap: .3rem; } header .quiet { padding-inline: .4rem; }
  .bar .about { white-space: normal !important; }
  .bar .codes, .bar .pair { gap: .35rem; } .codes .value { font-size: .95rem; letter-spacing: 0; } .bar button { padding-inline: .2rem; }
  .confirm label { grid-template-columns: minmax(0, 1fr); }
  .request dl > div, .request dl.shows > div, .request dl.origins > div { grid-template-columns: 1fr; gap: 0; }
}
@media (max-height: 30rem) {
  body > .sandbox { padding-block: 0; }
  body > header { min-height: 2.25rem; padding-block: 0; }
  header .quiet { padding-block: 0; }
  .title, .title a { min-height: 1.75rem; }
  .all summary { min-height: 2.25rem; }
  .bar { padding-top: .35rem; padding-bottom: calc(.4rem + env(safe-area-inset-bottom)); }
  .bar button { min-height: 3rem; }
}
@media (max-height: 30rem) and (min-width: 36rem) {
  .bar { display: grid; grid-template-columns: minmax(0, 1fr) minmax(20rem, 28rem); align-items: center; gap: 0 1rem; }
  .bar > * { max-width: none; margin: 0; }
  .bar .said, .bar .codes { grid-column: 1 / -1; }
  .bar .expiry { flex-direction: column; gap: 0; margin: 0; }
  main, body > header { max-width: 52rem; }
  .request.card form { columns: 2; column-gap: 1.5rem; }
  .request.card form > * { break-inside: avoid; }
  .request .environment { column-span: all; }
}
@media (prefers-reduced-motion: no-preference) { .result[data-open=true] .standing .sign { animation: breathe 1.6s ease-in-out infinite; } @keyframes breathe { 50% { opacity: .35; } } }
@media (forced-colors: active) { .sign { fill: CanvasText; } .card.request { border: 2px solid; } .codes label:has(:checked) { outline: 3px solid Highlight; } }
`;
