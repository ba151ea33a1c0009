/**
 * The dashboard's style, and of uPlot's own sheet what its charts need: part of the pages' one sheet. Gains and losses are
 * told by their sign, too. Nothing that is updated changes its size by its digits.
 */
export const dashboardStyle = `
:root { --gain: #0f6b43; --loss: #a3201d; --track: #e4e1d8; --chart: #24407e; --chart-fill: #24407e1f; }
@media (prefers-color-scheme: dark) { :root { --gain: #4fce97; --loss: #ff8a80; --track: #333842; --chart: #9dbcff; --chart-fill: #9dbcff24; } }
body:has(#dashboard) > header, main:has(#dashboard), body:has(#dashboard) > footer { max-width: 78rem; }
#dashboard { font-variant-numeric: tabular-nums; }
#dashboard h1 { font-size: 1.15rem; }
#dashboard .gain { color: var(--gain); } #dashboard .loss { color: var(--loss); } #dashboard .even { color: var(--soft); }
#dashboard .panel { margin: 0 0 1rem; padding: 1rem 1.1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); min-width: 0; }
#dashboard .head { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; margin-bottom: .4rem; }
#dashboard .head h2, #dashboard .deciding > h2 { margin: 0; font-size: .95rem; }
#dashboard h3 { margin: 1rem 0 .25rem; font-size: .875rem; color: var(--soft); }
#dashboard .panel p:not(.card *) { margin: .35rem 0; }
#dashboard .panel .none, #dashboard .panel .coming { margin: 0; padding: .25rem 0; }
#dashboard .panel .label { margin: 0; color: var(--soft); }
#dashboard .simulated, #dashboard .mark { display: inline-block; padding: 0 .45rem; border: 1px solid var(--line); border-radius: 1rem; color: var(--soft); font-size: .75rem; font-weight: 600; line-height: 1.35rem; vertical-align: .1em; white-space: nowrap; }
#dashboard .mark.live { border-color: var(--stop); color: var(--stop); }
#dashboard .panel .equity { margin: 0; font-size: clamp(2rem, 9vw, 3rem); font-weight: 700; line-height: 1.1; letter-spacing: -.025em; }
#dashboard .panel .today { margin: .1rem 0 .5rem; font-size: 1.1rem; font-weight: 600; }
#dashboard .part-summary { min-height: 15.5rem; }
#dashboard .part-standing { min-height: 4.25rem; padding-block: .6rem; }
#dashboard .part-value [data-part] { min-height: 22rem; }
#dashboard .panel.part-summary p.environment { margin: -1rem -1.1rem .9rem; padding: .35rem 1.1rem; font-size: .875rem; }
#dashboard .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .25rem 1.25rem; margin: 0; }
#dashboard .figures > div { display: block; border: 0; padding: 0; }
#dashboard .figures dt { font-size: .8125rem; } #dashboard .figures dd { font-weight: 600; }
#dashboard .standing { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem; margin: 0; min-height: 2.75rem; }
#dashboard .standing > span { display: inline-flex; align-items: center; gap: .4rem; }
#dashboard .standing details { margin-left: auto; }
#dashboard .standing details[open] { flex-basis: 100%; margin-left: 0; }
#dashboard .standing summary { display: inline-flex; align-items: center; color: var(--stop); font-weight: 600; }
#dashboard .periods { display: flex; flex-wrap: wrap; margin-inline: -.5rem; }
#dashboard .periods a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 .5rem; color: var(--soft); text-decoration: none; }
#dashboard .periods [aria-current] { color: var(--ink); font-weight: 650; text-decoration: underline; }
#dashboard .part-accounts { padding-block: .25rem; } #dashboard .part-accounts:not(:has(nav)) { display: none; }
#dashboard .periods.accounts span { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 .5rem; }
#dashboard .of-account + .of-account { margin-top: 1.25rem; padding-top: .25rem; border-top: 1px solid var(--line); }
#dashboard .chart { min-height: 17rem; }
#dashboard .panel .chart .at { height: 1.4rem; margin: 0; color: var(--soft); font-size: .8125rem; text-align: right; white-space: nowrap; overflow: hidden; }
#dashboard .panel .chart .name { margin: .4rem 0 0; color: var(--soft); font-size: .8125rem; }
#dashboard .scroll { overflow-x: auto; }
#dashboard .wide-table { width: 100%; border-collapse: collapse; }
#dashboard .wide-table th, #dashboard .wide-table td { padding: .5rem 0 .5rem .6rem; border-top: 1px solid var(--line); text-align: right; vertical-align: top; font-weight: 400; line-height: 1.35; white-space: nowrap; }
#dashboard .wide-table th:first-child { padding-left: 0; text-align: left; }
#dashboard .wide-table thead th { padding-block: 0 .3rem; border: 0; color: var(--soft); font-size: .8125rem; }
#dashboard .wide-table .symbol { font-weight: 650; }
#dashboard .wide-table tfoot th, #dashboard .wide-table tfoot td { font-weight: 650; }
#dashboard .wide-table .small { font-weight: 400; }
#dashboard svg.weight { display: block; width: 100%; max-width: 6rem; height: 4px; margin: .2rem 0 0 auto; fill: var(--track); }
#dashboard svg.weight .part { fill: var(--chart); }
#dashboard ul.lines, #dashboard ol.lines, #dashboard ul.stories { list-style: none; margin: 0; padding: 0; }
#dashboard .lines > li { display: flex; justify-content: space-between; gap: .25rem 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
#dashboard .lines > li:first-child, #dashboard .stories > li:first-child { border-top: 0; }
#dashboard .lines > li > :first-child, #dashboard .stories summary > :first-child { min-width: 0; overflow-wrap: anywhere; }
#dashboard .lines > li > :last-child:not(:first-child) { flex: none; max-width: 55%; text-align: right; }
#dashboard .lines ul { margin: .2rem 0 0; padding-left: 1.1rem; }
#dashboard .outcome { font-weight: 600; }
#dashboard .outcome.no, #dashboard .outcome.ask { color: var(--stop); } #dashboard .outcome.done { color: var(--go); }
@media (prefers-color-scheme: light) { #dashboard .outcome.done { color: var(--gain); } }
#dashboard .stories > li { border-top: 1px solid var(--line); }
#dashboard .stories summary { display: flex; justify-content: space-between; gap: .25rem 1rem; padding: .5rem 0; line-height: 1.35; list-style: none; }
#dashboard .stories summary::-webkit-details-marker { display: none; }
#dashboard .stories summary .outcome { display: inline-flex; align-items: baseline; gap: .35rem; flex: none; font-size: .9rem; }
#dashboard .stories details[open] { padding-bottom: .75rem; }
#dashboard .stories details[open] summary { font-weight: inherit; }
#dashboard .stories .fields > div, #dashboard .origins > div { grid-template-columns: 7.5rem 1fr; gap: .5rem; padding: .16rem 0; }
#dashboard .stories ul.small { margin: .35rem 0; padding-left: 1.1rem; }
#dashboard .steps { margin: .5rem 0; padding: 0 0 0 1rem; border-left: 2px solid var(--line); list-style: none; }
#dashboard .steps li { position: relative; padding: .1rem 0; }
#dashboard .steps li::before { content: ""; position: absolute; left: -1.35rem; top: .6rem; width: .5rem; height: .5rem; border-radius: 50%; background: var(--soft); }
#dashboard .steps li:last-child::before { background: var(--chart); }
#dashboard .panel .verdict { display: flex; gap: .5rem; margin: 0 0 .4rem; } #dashboard .verdict .sign { margin-top: .3rem; }
#dashboard .verdict:not(.problem) .sign { color: var(--gain); }
#dashboard .unread { padding: .6rem .8rem; border-left: .3rem solid var(--note-line); border-radius: .3rem; background: var(--note); color: var(--note-ink); }
#dashboard .unread .soft { color: inherit; }
#dashboard .panel .unread p { margin: .1rem 0; }
#dashboard .elsewhere a.go { padding-inline: .5rem; }
#dashboard .card.request { max-width: 34rem; margin: 0 0 .75rem; }
#dashboard .elsewhere { margin: .6rem 0 .9rem; } #dashboard .elsewhere .expiry { display: flex; justify-content: space-between; gap: 1rem; }
/* Under its card: what is approved is what is read, wherever on this page somebody is. */
#dashboard .bar { position: static; margin: .5rem -.9rem -.25rem; padding: .5rem .9rem .75rem; box-shadow: none; }
#dashboard .card.request:has(.bar) { overflow: visible; } body:has(#dashboard .bar) { padding-bottom: 0; }
#dashboard #phone .title { min-height: 0; } #dashboard #phone .title a { margin-left: auto; } #dashboard #lately { display: none; }
#dashboard #phone .empty { margin: 0; padding: .5rem 0; border: 0; text-align: left; }
#dashboard #live { text-align: right; }
#dashboard[data-offline] .panel { opacity: .6; }
@media (min-width: 60rem) {
  #dashboard .columns { display: grid; grid-template-columns: minmax(0, 1.75fr) minmax(0, 1fr); gap: 0 1rem; align-items: start; }
  #dashboard .part-summary { min-height: 12rem; }
}
@media (max-width: 30rem) {
  #dashboard .wide-table { font-size: .8125rem; } #dashboard .wide-table .small { font-size: .75rem; }
  #dashboard .wide-table th, #dashboard .wide-table td { padding-left: .35rem; }
}
@media (max-width: 22rem) {
  #dashboard .panel { padding: .8rem .75rem; }
  #dashboard .panel.part-summary p.environment { margin: -.8rem -.75rem .7rem; padding-inline: .75rem; }
  #dashboard .wide-table { font-size: .75rem; } #dashboard .wide-table .small { font-size: .6875rem; }
}
.uplot, .u-wrap { position: relative; } .u-wrap { user-select: none; }
.u-over, .u-under, .u-axis, .u-select { position: absolute; } .u-under { overflow: hidden; } .u-select { pointer-events: none; }
.uplot canvas { display: block; position: relative; width: 100%; height: 100%; }
.u-cursor-x, .u-cursor-y, .u-cursor-pt { position: absolute; top: 0; left: 0; pointer-events: none; will-change: transform; }
.u-cursor-x { height: 100%; border-right: 1px dashed var(--soft); } .u-cursor-pt { border-radius: 50%; border: 0 solid; background-clip: padding-box !important; }
.u-off { display: none; }
`;
