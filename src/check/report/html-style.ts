/** The report's looks: colours by the reader's theme, one column on a phone, two where there is room. */
export const reportStyle = `
:root{--ink:#1b1f24;--soft:#57606a;--ground:#fff;--card:#f6f8fa;--rule:#d0d7de;--line:#0969da;--fall:#cf222e;--over:#bc4c00;--under:#8250df;--warn:#9a6700}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--ground:#0d1117;--card:#161b22;--rule:#30363d;--line:#4493f8;--fall:#f85149;--over:#db6d28;--under:#ab7df8;--warn:#d29922}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:68rem;margin:0 auto}
h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0}
h2{font-size:1.05rem;margin:0 0 .5rem}
header p,footer,small{color:var(--soft)}
h2 small{font-weight:400}
footer{font-size:.85rem}
@media (min-width:60rem){main{columns:2;column-gap:1rem}}
section{break-inside:avoid;margin:0 0 1rem;background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:1rem}
ul{margin:0;padding-left:1.2rem}
.findings{list-style:none;padding:0}
.findings li{border-left:4px solid var(--line);padding:.25rem .75rem;margin:.4rem 0}
.findings .warning{border-color:var(--warn)}
.findings .critical{border-color:var(--fall)}
dl{margin:0}
dl div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;border-bottom:1px solid var(--rule);padding:.3rem 0}
dl div:last-child{border:0}
dt{color:var(--soft)}
dd{margin:0 0 0 auto;text-align:right;font-variant-numeric:tabular-nums}
.chart{display:block;width:100%;height:auto}
.chart text{fill:var(--soft);font:15px system-ui,sans-serif}
.chart .grid{stroke:var(--rule)}
.chart .axis{stroke:var(--soft)}
.chart .line{fill:none;stroke:var(--line);stroke-width:2;stroke-linejoin:round}
.chart .area{fill:var(--line);opacity:.15}
.chart .bar{fill:var(--line)}
.chart .over{fill:var(--over)}
.chart .under{fill:var(--under)}
.drawdown .line{stroke:var(--fall)}
.drawdown .area{fill:var(--fall)}
@media (max-width:40rem){.chart text{font-size:22px}}
.none{color:var(--soft);margin:0}
`;
