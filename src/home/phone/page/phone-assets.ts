import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { getBrowserScripts } from './browser-scripts.ts';

const script = { type: 'text/javascript' } as const;

/** Files that the pages load, because their content security policy forbids inline scripts and styles. */
const assets = {
  'phone.css': { type: 'text/css', text: () => pageStyle + entryStyle + dashboardStyle + chatStyle },
  'shell.js': { ...script, text: () => getBrowserScripts()['shell.js'] },
  'passkeys.js': { ...script, text: () => getBrowserScripts()['passkeys.js'] },
  'approvals.js': { ...script, text: () => getBrowserScripts()['approvals.js'] },
  'dashboard.js': { ...script, text: () => getBrowserScripts()['dashboard.js'] },
  'chat.js': { ...script, text: () => getBrowserScripts()['chat.js'] },
} as const;
export type AssetName = keyof typeof assets;

const PATH = '/phone/assets';
const digests = new Map<AssetName, string>();
const compressed = new Map<AssetName, Uint8Array<ArrayBuffer>>();

/** Returns an asset's address, with a digest of the asset's content, so that browsers can cache the asset forever. */
export function assetUrl(name: AssetName): string {
  let digest = digests.get(name);
  if (digest === undefined) {
    digest = createHash('sha256').update(assets[name].text()).digest('base64url').slice(0, 12);
    digests.set(name, digest);
  }
  return `${PATH}/${digest}/${name}`;
}

export function createPhoneAssets(): Hono {
  const app = new Hono();
  app.get(`${PATH}/:digest/:name`, (context) => {
    const { name } = context.req.param();
    if (!isAsset(name) || assetUrl(name) !== context.req.path) return context.text('Not found', 404);
    const { type, text } = assets[name];
    const headers = {
      'content-type': `${type}; charset=utf-8`,
      'cache-control': 'public, max-age=31536000, immutable',
      'cross-origin-resource-policy': 'same-origin',
      vary: 'accept-encoding',
    };
    return /\bgzip\b(?! *; *q=0)/.test(context.req.header('accept-encoding') ?? '')
      ? context.body(compress(name), 200, { ...headers, 'content-encoding': 'gzip' })
      : context.body(text(), 200, headers);
  });
  app.all(`${PATH}/*`, (context) => context.text('Not found', 404));
  return app;
}

/** Compresses an asset. Other responses are not compressed, because their size could reveal secrets (BREACH). */
function compress(name: AssetName): Uint8Array<ArrayBuffer> {
  const known = compressed.get(name) ?? new Uint8Array(gzipSync(assets[name].text()));
  compressed.set(name, known);
  return known;
}

function isAsset(name: string): name is AssetName {
  return Object.hasOwn(assets, name);
}

/**
 * Style of the dashboard, with the parts of uPlot's style sheet that its charts need. Gains and losses also have a plus
 * or minus sign, so color is not the only cue. Digits have equal width, so that updated figures don't move.
 */
const dashboardStyle = `
:root { --gain: #0f6b43; --loss: #a3201d; --track: #e4e1d8; --chart: #24407e; --chart-fill: #24407e1f; }
@media (prefers-color-scheme: dark) { :root { --gain: #4fce97; --loss: #ff8a80; --track: #333842; --chart: #9dbcff; --chart-fill: #9dbcff24; } }
body:has(#dashboard:not(.home)) > header, main:has(#dashboard:not(.home)) { max-width: 78rem; }
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
#dashboard .panel .equity { margin: 0; font-size: clamp(2rem, 9vw, 3rem); font-weight: 700; line-height: 1.1; letter-spacing: -.025em; overflow-wrap: anywhere; }
#dashboard .panel .today { margin: .1rem 0 .5rem; font-size: 1.1rem; font-weight: 600; }
#dashboard .part-summary { min-height: 15.5rem; }
#dashboard .top { display: grid; gap: 0 1rem; }
#dashboard .top > .part-waiting:has(.card:not(.empty)) { align-self: start; }
/* Without a request, the account comes first. */
#dashboard .part-waiting:not(:has(.card:not(.empty))) { order: 1; }
#dashboard .part-standing { min-height: 4.25rem; padding-block: .6rem; }
#dashboard .part-value [data-part] { min-height: 22rem; }
#dashboard .panel.part-summary p.environment { margin: -1rem -1.1rem .9rem; padding: .35rem 1.1rem; font-size: .875rem; }
#dashboard .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(10rem, 45%), 1fr)); gap: .25rem 1.25rem; margin: 0; }
#dashboard .figures > div { display: block; border: 0; padding: 0; }
#dashboard .figures dt { font-size: .8125rem; } #dashboard .figures dd { font-weight: 600; }
#dashboard .standing { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem; margin: 0; min-height: 2.75rem; }
#dashboard .result .standing { min-height: 0; }
#dashboard .standing > span { display: inline-flex; align-items: center; gap: .4rem; }
#dashboard .standing details { margin-left: auto; }
#dashboard .standing details[open] { flex-basis: 100%; margin-left: 0; }
#dashboard .standing summary { color: var(--stop); }
#dashboard .periods { display: flex; flex-wrap: wrap; margin-inline: -.5rem; }
#dashboard .periods a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 .5rem; color: var(--soft); text-decoration: none; }
#dashboard .periods [aria-current] { color: var(--ink); font-weight: 650; text-decoration: underline; }
#dashboard .part-accounts { padding-block: .25rem; } #dashboard .part-accounts:not(:has(nav)) { display: none; }
#dashboard .periods.accounts span { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 .5rem; }
#dashboard .of-account + .of-account { margin-top: 1.25rem; padding-top: .25rem; border-top: 1px solid var(--line); }
#dashboard .chart { min-height: 17rem; touch-action: pan-y; }
#dashboard .spans a { flex: 1; justify-content: center; }
/* Value, curve and periods are one card. */
#dashboard .front { padding: 0; overflow: clip; }
#dashboard .front .panel { margin: 0; border: 0; border-radius: 0; background: none; }
#dashboard .front .part-summary { padding-bottom: 0; }
#dashboard.home .part-worth { min-height: 9.75rem; padding-bottom: 0; } #dashboard.home .part-curve { min-height: 15rem; padding-block: .25rem 0; }
#dashboard.home .part-worth p.environment { margin: -1rem -1.1rem .6rem; padding: .25rem 1.1rem; border-radius: 0; font-size: .875rem; }
#dashboard.home .chart { min-height: 12.25rem; margin-inline: -1.1rem; }
#dashboard.home .panel .chart .at { padding-inline: 1.1rem; text-align: left; }
#dashboard .chart:focus-visible { outline-offset: -3px; }
#dashboard.home .spans { margin: 0; padding: 0 .6rem .25rem; }
#dashboard.home #phone .empty { padding: 0 0 .6rem; color: var(--soft); font-size: .875rem; } #dashboard.home .empty p { margin: 0; } #dashboard.home .empty p + p { display: none; }
#dashboard.home #stage > .card { margin-bottom: 1rem; }
#dashboard .holdings > li { padding: 0; } #dashboard .holdings a { display: flex; justify-content: space-between; gap: .25rem 1rem; width: 100%; padding: .5rem 0; text-decoration: none; }
#dashboard .holdings a > * { min-width: 0; overflow-wrap: anywhere; } #dashboard .holdings a > :last-child { flex: none; max-width: 65%; text-align: right; }
#dashboard .holdings a > :last-child { min-width: 7rem; } @media (min-width: 30rem) { #dashboard .holdings a > :last-child { min-width: 8.5rem; } }
#dashboard.home .part-quote { min-height: 8rem; padding-bottom: 0; } #dashboard.home .part-price { min-height: 15.85rem; padding-block: .25rem 0; } #dashboard.home .part-held:has(.coming) { min-height: 17.25rem; }
#dashboard.home .onward { display: flex; flex-wrap: wrap; justify-content: space-evenly; gap: 0 1.5rem; } #dashboard .onward .halt { color: var(--stop); } #dashboard.home .onward a { display: inline-flex; align-items: center; min-height: 2.75rem; }
#dashboard .panel .chart .at { height: 1.4rem; margin: 0; color: var(--soft); font-size: .8125rem; text-align: right; white-space: nowrap; overflow: hidden; }
#dashboard .panel .chart:not(.brief) .at { height: auto; min-height: 1.4rem; white-space: normal; }
#dashboard .key { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .35rem 0 0; padding: 0; list-style: none; }
#dashboard .key li { display: inline-flex; align-items: center; gap: .4rem; flex-wrap: wrap; }
#dashboard .key .own::before, #dashboard .key .benchmark::before { content: ""; width: 1.2rem; border-top: 2px solid var(--chart); } #dashboard .key .benchmark::before { border-top: 2px dashed var(--soft); }
#dashboard .panel .chart .name { margin: .4rem 0 0; color: var(--soft); font-size: .8125rem; }
#dashboard .scroll { overflow-x: auto; }
#dashboard .wide-table { width: 100%; border-collapse: collapse; }
#dashboard .wide-table th, #dashboard .wide-table td { padding: .5rem 0 .5rem .6rem; border-top: 1px solid var(--line); text-align: right; vertical-align: top; font-weight: 400; line-height: 1.35; white-space: nowrap; }
#dashboard .wide-table th:first-child { padding-left: 0; text-align: left; }
#dashboard .wide-table thead th { padding-block: 0 .3rem; border: 0; color: var(--soft); font-size: .8125rem; }
#dashboard .wide-table .symbol { font-weight: 650; }
#dashboard .wide-table tfoot th, #dashboard .wide-table tfoot td { font-weight: 650; }
#dashboard .wide-table .small { font-weight: 400; }
#dashboard .asset-name { color: var(--soft); overflow-wrap: anywhere; white-space: normal; }
#dashboard .wide-table th[scope=row] { min-width: 6rem; }
#dashboard .wide-table .month { width: 9rem; text-align: left; } #dashboard .wide-table td.month { padding-block: .6rem; vertical-align: middle; }
#dashboard svg.spark { display: block; width: 100%; max-width: 9rem; height: 2rem; fill: none; stroke: currentColor; overflow: visible; }
#dashboard svg.spark polyline { stroke-width: 1.5; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
#dashboard .holdings svg.spark { flex: 0 1 3.5rem; align-self: center; min-width: 2rem; }
#dashboard .holdings a > span:first-child { flex: 1; }
#dashboard svg.weight { display: block; width: 100%; max-width: 6rem; height: 4px; margin: .2rem 0 0 auto; fill: var(--track); }
#dashboard svg.weight .part { fill: var(--chart); }
#dashboard ul.lines, #dashboard ol.lines, #dashboard ul.stories { list-style: none; margin: 0; padding: 0; }
#dashboard .lines > li { display: flex; justify-content: space-between; gap: .25rem 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
#dashboard .lines > li:first-child, #dashboard .stories > li:first-child { border-top: 0; }
#dashboard .lines > li > :first-child, #dashboard .stories summary > :first-child { min-width: 0; overflow-wrap: anywhere; }
#dashboard .lines > li > :last-child:not(:first-child) { flex: none; max-width: 62%; text-align: right; overflow-wrap: anywhere; }
/* The terms have the full width. A long outcome of an order has a line of its own. */
#dashboard .orders > li, #dashboard .stories summary { flex-wrap: wrap; row-gap: 0; } #dashboard .orders .outcome { min-width: 0; overflow-wrap: anywhere; }
#dashboard .lines.orders > li > .terms, #dashboard .stories .terms { flex: 1 0 100%; max-width: 100%; text-align: left; }
#dashboard .holdings ~ .lines > li:first-child { border-top: 1px solid var(--line); }
#dashboard .bookings > li > :first-child { padding-left: 1.5rem; }
#dashboard .bookings .buy, #dashboard .bookings .sell { display: inline-block; width: 1.5rem; margin-left: -1.5rem; }
#dashboard .lines ul { margin: .2rem 0 0; padding-left: 1.1rem; }
#dashboard .outcome { font-weight: 600; font-size: .9rem; }
#dashboard .outcome.no, #dashboard .outcome.ask { color: var(--stop); } #dashboard .outcome.done { color: var(--go); }
@media (prefers-color-scheme: light) { #dashboard .outcome.done { color: var(--gain); } }
#dashboard .stories > li { border-top: 1px solid var(--line); }
#dashboard .stories summary { align-items: baseline; padding: .5rem 0; color: var(--ink); font-weight: 400; line-height: 1.35; }
#dashboard .stories summary > :first-child { flex: 1 1 8rem; } #dashboard .stories .terms { padding-left: 1.25rem; overflow-wrap: anywhere; }
#dashboard .stories summary .outcome { display: inline-flex; align-items: baseline; gap: .35rem; flex: none; margin-left: auto; padding-left: 1rem; }
#dashboard .stories details[open] { padding-bottom: .75rem; }
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
/* Keeps the bar under its card, so that the person approves what they have just read. */
#dashboard:not(.home) .bar { position: static; margin: .5rem -.9rem -.25rem; padding: .5rem .9rem .75rem; box-shadow: none; }
body:has(#dashboard:not(.home) .bar) { padding-bottom: 0; }
/* The dashboard's own heading says whether it is live. */
#dashboard:not(.home) #phone .title { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } #dashboard #latest { display: none; }
#dashboard #phone .empty { margin: 0; padding: .5rem 0; border: 0; background: none; text-align: left; }
#dashboard #live { text-align: right; }
#dashboard[data-offline] .panel { opacity: .6; }
@media (min-width: 60rem) {
  #dashboard .columns { display: grid; grid-template-columns: minmax(0, 1.75fr) minmax(0, 1fr); gap: 0 1rem; align-items: start; }
  #dashboard .part-summary { min-height: 12rem; } #dashboard.home .part-quote { min-height: 8.9rem; }
  #dashboard .part-value [data-part] { min-height: 24rem; }
  #dashboard .top { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  #dashboard .top > .front { grid-column: 1 / -1; }
  #dashboard .top:has(> .part-waiting .card:not(.empty)) { grid-template-columns: minmax(0, 32rem) minmax(0, 1fr); grid-template-rows: auto 1fr; }
  #dashboard .top:has(> .part-waiting .card:not(.empty)) > .part-waiting { grid-row: 1 / 3; }
  #dashboard .top:has(> .part-waiting .card:not(.empty)) > .front { grid-column: 2; }
}
@media (max-width: 48rem) {
  #dashboard .wide-table .month { display: none; }
}
@media (max-width: 30rem) {
  #dashboard .wide-table { font-size: .8125rem; } #dashboard .wide-table .small { font-size: .75rem; }
  #dashboard .wide-table th, #dashboard .wide-table td { padding-left: .35rem; }
}
@media (max-width: 22rem) {
  #dashboard .panel:where(:not(.front)) { padding: .8rem .75rem; }
  #dashboard .panel.part-summary p.environment, #dashboard.home .part-worth p.environment { margin: -.8rem -.75rem .7rem; padding-inline: .75rem; }
  #dashboard.home .chart { margin-inline: -.75rem; } #dashboard.home .panel .chart .at { padding-inline: .75rem; }
  #dashboard .wide-table { font-size: .75rem; } #dashboard .wide-table .small { font-size: .6875rem; }
}
.uplot, .u-wrap { position: relative; } .u-wrap { user-select: none; }
.u-over, .u-under, .u-axis, .u-select { position: absolute; } .u-under { overflow: hidden; } .u-select { pointer-events: none; }
.uplot canvas { display: block; position: relative; width: 100%; height: 100%; }
.u-cursor-x, .u-cursor-y, .u-cursor-pt { position: absolute; top: 0; left: 0; pointer-events: none; will-change: transform; }
.u-cursor-x { height: 100%; border-right: 1px dashed var(--soft); } .u-cursor-pt { border-radius: 50%; border: 0 solid; background-clip: padding-box !important; }
.u-off { display: none; }
`;

/** Style of the decision card, its bar, the lists and the history. The script sets `--bar` to the bar's height. */
const cardStyle = `
:root { --buy: #1f4fae; --sell: #8a3f00; --bar: 9.5rem; scroll-padding-bottom: calc(max(var(--bar), 3.5rem) + 1rem); }
@media (prefers-color-scheme: dark) { :root { --buy: #9dbcff; --sell: #ffb877; } }
.sign { width: 1em; height: 1em; fill: currentColor; flex: none; vertical-align: -.11em; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.words { overflow-wrap: anywhere; }
.buy { --side: var(--buy); } .sell { --side: var(--sell); }
span.buy, span.sell { color: var(--side); }
.title, main > h1 { flex-wrap: wrap; align-items: center; gap: 0 1rem; min-height: 2.5rem; }
.title h1, main > h1 { margin: 0; font-size: 1.15rem; }
main > h1 { display: flex; }
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
/* The fill shows how long the button has to be held. Its duration is that of ../web/hold.ts. */
.bar [data-hold] { position: relative; overflow: hidden; touch-action: manipulation; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; }
.bar [data-hold]::before { content: ""; position: absolute; inset: 0; background: currentColor; opacity: .3; transform: scaleX(0); transform-origin: left; }
.bar [data-holding]::before { transform: scaleX(1); transition: transform 1s linear; }
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
.result dl { font-size: .9375rem; } .result dl > div { grid-template-columns: 5rem 1fr; }
.result .quiet { position: absolute; top: .45rem; right: .6rem; }
#phone:has(#stage > *) #latest, main:has(#stage > *) .ring { display: none; }
#latest h2 { margin-top: 1.5rem; }
/* Hides the list if the results above show all of its entries. */
#latest:has(li):not(:has(li:not([hidden]))) { display: none; }

ul.recent li[hidden] { display: none; }
ul.recent .outcome, ol.history .outcome { display: inline-flex; align-items: center; gap: .35rem; font-weight: 650; white-space: nowrap; }
/* Signs stand in a column of their own, so that all words of an entry, and of all entries, begin at one edge. */
ol.history li { padding: .7rem 0 .7rem 1.5rem; border-top: 1px solid var(--line); }
ol.history p { margin: 0; font-variant-numeric: tabular-nums; }
ol.history .first { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .5rem; }
ol.history .first > .buy, ol.history .first > .sell, ol.history .outcome { margin-left: -1.5rem; }
ol.history .outcome { align-items: baseline; gap: .5rem; } ol.history .outcome .sign { align-self: center; }
ul.recent .outcome { align-self: start; }
ol.history .first .words { flex: 1 1 6rem; min-width: 0; overflow-wrap: anywhere; }
ol.history .first .much { margin-left: auto; min-width: 0; font-weight: 650; text-align: right; overflow-wrap: anywhere; }
ol.history .first .much.not { color: var(--soft); font-size: .875rem; font-weight: 400; }
ol.history .second { display: flex; align-items: baseline; gap: .5rem; } ol.history .second .words { min-width: 0; overflow-wrap: anywhere; }
ol.history .second .mark { margin-left: auto; }
ol.history .third { font-size: .875rem; }
.pages { display: flex; gap: 1.5rem; }
.pages a { display: inline-flex; align-items: center; min-height: 2.75rem; }

@media (max-width: 22rem) {
  dl > div { grid-template-columns: 6.5rem 1fr; }
  .card.request { padding-inline: .75rem; }
  .request .environment { margin-inline: -.75rem; padding-inline: .75rem; }
  .request .amount strong { font-size: 2rem; }
  .request .codebox { flex-wrap: wrap; }
  #others a { grid-template-columns: 1fr auto; } #others .left { grid-column: 2; grid-row: 2; } #others .what { white-space: normal; grid-row: 1 / 3; }
}
@media (max-width: 15rem) {
  header { gap: .3rem; }
  .bar .about { white-space: normal !important; }
  .bar .codes, .bar .pair { gap: .35rem; } .codes .value { font-size: .95rem; letter-spacing: 0; } .bar button { padding-inline: .2rem; }
  .confirm label { grid-template-columns: minmax(0, 1fr); }
  .request dl > div, .request dl.shows > div, .request dl.origins > div { grid-template-columns: 1fr; gap: 0; }
}
@media (max-height: 30rem) {
  body > .sandbox { padding-block: 0; }
  body > header { min-height: 2.25rem; padding-block: 0; }
  .title, .title a { min-height: 1.75rem; }
  summary { min-height: 2.25rem; }
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

/** Style of the pages for signing in and for managing sign-ins. */
const entryStyle = `
h1[tabindex]:focus { outline: none; }
p .mono { white-space: nowrap; }
/* Three groups of a recovery code on each of two lines. */
[data-testid=code].mono { max-width: 20ch; font-size: 1.25rem; }
@media (min-width: 23rem) { p .small time, ul.recent .small time, ol.history .third .when { white-space: nowrap; } }
.tabs { display: grid; grid-auto-columns: minmax(0, 1fr); grid-auto-flow: column; max-width: 34rem; margin: 0 auto; }
.tabs a { display: flex; flex-direction: column; align-items: center; justify-content: center; gap: .1rem; min-height: 3.25rem; color: var(--soft); font-size: .75rem; font-weight: 600; text-decoration: none; }
.tabs a[aria-current] { color: var(--ink); }
.tabs svg { width: 1.4rem; height: 1.4rem; fill: currentColor; }
@media (max-height: 30rem) { .tabs a { flex-direction: row; gap: .4rem; min-height: 2.75rem; } }
/* Sticky, not fixed: at the end of the page, the tabs are below the content and cover none of it. */
footer:has(.tabs) { position: sticky; bottom: 0; z-index: 2; margin-top: auto; padding-bottom: env(safe-area-inset-bottom); border-top: 1px solid var(--line); background: var(--card); }
/* Below a request, the tabs scroll with the page: only Deny and Approve are within the thumb's reach. */
body:has(.bar) > footer { position: static; z-index: auto; padding-bottom: 0; }
body:has(#dashboard:not(.home) .bar) > footer { position: sticky; z-index: 2; padding-bottom: env(safe-area-inset-bottom); }
ul.settings { list-style: none; margin: 1rem 0; padding: 0 1.1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); }
ul.settings li + li { border-top: 1px solid var(--line); }
ul.settings a, ul.settings button { display: flex; flex-direction: column; justify-content: center; width: 100%; min-height: 3.75rem; padding: .5rem 0; text-decoration: none; }
ul.settings button { border: 0; border-radius: 0; background: none; color: inherit; font: inherit; text-align: left; }
/* A recovery code of 29 characters is as wide as the card. From a font size of 1rem, iOS does not zoom into the field. */
input#code { padding-inline: .5rem; font-size: 1rem; letter-spacing: 0; }
@media (max-width: 23rem) { input#code { padding-inline: .4rem; font-size: clamp(.8125rem, 4.1vw, 1rem); } }
input[aria-invalid] { border: 2px solid var(--stop); }
article h2 { margin: 0; color: var(--ink); }
form.card h2, div.card h2 { margin-top: 0; }
ul.recent form { margin: 0; } [data-testid=scopes] li::first-letter { text-transform: uppercase; }
`;

/** The pages' single style sheet: mobile first, light and dark, system fonts, contrast of at least AA throughout. */
const pageStyle = `
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
/* A column at least as high as the screen, so that the tabs are at its end below little content as well. */
body {
  display: flex; flex-direction: column; min-height: 100vh; min-height: 100dvh;
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.sandbox {
  margin: 0; padding: .2rem 1rem; text-align: center; border-bottom: 1.5px dashed var(--soft);
  color: var(--soft); font-size: .75rem; font-weight: 650; letter-spacing: .06em;
}
header {
  display: flex; align-items: center; justify-content: space-between; gap: .75rem;
  width: 100%; max-width: 34rem; min-height: 3.25rem; margin: 0 auto; padding: .25rem 1rem;
}
header span { min-width: 0; overflow-wrap: anywhere; line-height: 1.25; }
header .name { font-weight: 650; }
header .soft { text-align: right; }
main { width: 100%; max-width: 34rem; margin: 0 auto; padding: 0 1rem 2rem; }
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
summary { display: flex; align-items: center; min-height: 2.75rem; color: var(--soft); font-weight: 600; list-style: none; cursor: pointer; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ""; flex: none; width: .5em; height: .5em; margin: 0 .65em 0 .1em; border: solid currentColor; border-width: 0 2px 2px 0; transform: rotate(-45deg); }
details[open] > summary::before { transform: rotate(45deg); }
details.card { padding-block: .4rem; } details.card[open] { padding-bottom: 1.1rem; }
label { display: block; margin: .9rem 0 .3rem; font-weight: 600; }
input[type=text], input[type=password] {
  width: 100%; min-height: 3.25rem; padding: .6rem .9rem; border: 1.5px solid var(--soft); border-radius: .75rem;
  background: var(--field); color: var(--ink); font: inherit; font-size: 1.1rem;
}
select { min-height: 2.75rem; padding: .4rem .8rem; border: 1.5px solid var(--soft); border-radius: .75rem; background: var(--field); color: var(--ink); font: inherit; }
::placeholder { color: var(--soft); opacity: 1; }
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
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin-top: 1rem; } .pair button { padding-inline: .6rem; } .pair .quiet { font-size: 1.05rem; }
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

/** Style of the chat: the list of conversations next to the scrolling conversation, and the message field below. */
const chatStyle = `
nav.places { display: flex; gap: .25rem; }
nav.places a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 .75rem; border-radius: .6rem; color: var(--soft); font-weight: 600; text-decoration: none; }
nav.places [aria-current] { background: var(--card); color: var(--ink); box-shadow: inset 0 0 0 1px var(--line); }
body:has(#chat) { height: 100vh; height: 100dvh; }
body:has(#chat) > header, main:has(#chat) { max-width: 78rem; }
main:has(#chat) { flex: 1; min-height: 0; padding-bottom: .75rem; }
#chat, #chat .frame { height: 100%; }
#chat .frame { display: grid; grid-template: minmax(0, 1fr) / 17rem minmax(0, 1fr); gap: 1rem; }
#chat .talks, #chat .talk { display: flex; flex-direction: column; min-width: 0; min-height: 0; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); }
#chat .talks { padding: .6rem; }
#chat .talks .heading { display: flex; align-items: center; justify-content: space-between; gap: .5rem; padding-left: .5rem; }
#chat .talks h2 { margin: 0; } #chat .talks .toggle { display: none; }
#chat .talks nav { flex: 1; min-height: 0; overflow-y: auto; }
#chat .talks nav > p { padding-left: .5rem; }
#chat .talks ul { list-style: none; margin: .4rem 0 0; padding: 0; }
#chat .talks a { display: flex; justify-content: space-between; gap: .25rem .75rem; min-height: 2.75rem; padding: .5rem; border-radius: .6rem; line-height: 1.3; text-decoration: none; }
#chat .talks a > * { min-width: 0; overflow-wrap: anywhere; } #chat .talks a > :last-child { flex: none; }
#chat .talks [aria-current] { background: var(--ground); font-weight: 600; }
#chat .talk { position: relative; padding: 0 1.1rem .9rem; }
#chat .connection { flex: none; margin-left: auto; }
/* Positioned, so that text for screen readers scrolls with it and does not lengthen the page. */
#chat .items { position: relative; flex: 1; min-height: 0; margin: 0 -1.1rem; padding: .9rem 1.1rem .5rem; overflow-y: auto; overscroll-behavior: contain; }
#chat .items:focus-visible { outline-offset: -3px; border-radius: 1rem; }
#chat .items > * { max-width: 46rem; margin-inline: auto; overflow-wrap: anywhere; }
#chat .said { width: fit-content; max-width: min(36rem, 85%); margin: 1rem 0 1rem auto; padding: .55rem .9rem; border: 1px solid var(--line); border-radius: 1rem 1rem .25rem; background: var(--ground); white-space: pre-wrap; }
@media (min-width: 70rem) { #chat .said { margin-right: max(0px, (100% - 46rem) / 2); } }
#chat .answer { margin-block: .75rem; }
#chat .markdown > :first-child { margin-top: 0; }
#chat .markdown h2 { margin: 1rem 0 .25rem; font-size: 1.05rem; color: var(--ink); }
#chat .markdown ul, #chat .markdown ol { margin: .4rem 0; padding-left: 1.4rem; }
#chat .markdown code { padding: .05rem .3rem; border-radius: .3rem; background: var(--ground); font-size: .9em; }
#chat .markdown pre { padding: .7rem .9rem; overflow-x: auto; border-radius: .6rem; background: var(--ground); } #chat .markdown pre code { padding: 0; }
#chat .scroll { overflow-x: auto; }
#chat table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
#chat th, #chat td { padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); text-align: left; overflow-wrap: normal; } #chat thead th { border: 0; color: var(--soft); font-size: .8125rem; }
#chat .number { text-align: right; white-space: nowrap; }
#chat .tool { display: flex; gap: .5rem; margin-block: .3rem; }
#chat .tool::before { content: "✓"; flex: none; color: var(--gain); } #chat .tool.failed::before { content: "✗"; color: var(--stop); } #chat .tool.running::before { content: "…"; color: inherit; }
#chat .items > .card.request { max-width: 34rem; margin: .75rem auto .75rem max(0px, (100% - 46rem) / 2); padding-bottom: .5rem; }
#chat .request .state { margin: .5rem 0; font-weight: 600; } #chat .state.good { color: var(--gain); } #chat .state.bad { color: var(--stop); }
#chat ul.note { margin: .5rem 0; padding: .5rem .75rem .5rem 1.75rem; }
#chat .provenance { margin: .5rem 0; } #chat .provenance p { margin: 0; }
#chat .decide .expiry { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; margin: .5rem 0; font-variant-numeric: tabular-nums; }
#chat .ways { display: flex; flex-wrap: wrap; gap: .5rem; } #chat .ways a.go { flex: 1; min-height: 2.75rem; font-size: .95rem; }
#chat .activity { display: flex; align-items: center; justify-content: space-between; gap: .25rem 1rem; min-height: 1.75rem; }
#chat .activity p { margin: .25rem 0; }
#chat .composer { display: flex; align-items: end; gap: .5rem; }
#chat textarea { flex: 1; min-width: 0; min-height: 3.25rem; max-height: 40vh; padding: .8rem .9rem; border: 1.5px solid var(--soft); border-radius: .85rem; background: var(--field); color: var(--ink); font: inherit; resize: none; }
#chat .problem p { margin: 0; } #chat .problem .small { font-weight: 400; }
@media (max-width: 47.99rem) {
  #chat .composer button { padding-inline: .9rem; } #chat .activity { flex-wrap: wrap; } #chat .activity p:has(+ button) { flex-basis: 100%; }
  main:has(#chat) { padding: 0; } #chat .frame { grid-template: auto minmax(0, 1fr) / minmax(0, 1fr); gap: 0; }
  #chat .talks, #chat .talk { border-width: 1px 0 0; border-radius: 0; }
  #chat .talks { padding: .25rem .75rem; max-height: 60vh; } #chat .talks h2 { display: none; } #chat .talks .heading { padding: 0; } #chat .talks .toggle { display: block; }
  #chat .talks[data-open=false] nav { display: none; }
}
`;
