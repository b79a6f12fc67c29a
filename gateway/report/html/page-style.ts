/** The report's look: light and dark as the reader has it, light on paper. */

const LIGHT = `
  --page: #f6f7f9; --card: #ffffff; --ink: #17202b; --quiet: #56626f; --rule: #dde2e8; --grid: #e7eaee;
  --accent: #1f5fbf; --area: rgba(31, 95, 191, 0.14); --good: #17713a; --good-back: #e3f4e9; --bad: #b3261e;
  --bad-back: #fce8e6; --budget: #a35b00; --ofcom: #b3261e; --bar: #7fa6dc; --bar-late: #d9776f; --volume: #a9b6c4;
  --band: rgba(179, 38, 30, 0.09); --away: rgba(86, 98, 111, 0.16);
  --arrival: #8896a6; --gate: #3fa9b5; --lookahead: #4c84d6; --queue: #dd5a2b; --decode: #eaa62c; --segment: #9a6fd0;
  --publish: #3d9a5f; --delivery: #cf5f96;`;

const DARK = `
  --page: #12171d; --card: #1b222b; --ink: #e8edf2; --quiet: #9fabb8; --rule: #303a46; --grid: #29323d;
  --accent: #7db0ff; --area: rgba(125, 176, 255, 0.18); --good: #7bd69b; --good-back: #16331f; --bad: #ff9d94;
  --bad-back: #43201e; --budget: #f2b35c; --ofcom: #ff9d94; --bar: #5b86c2; --bar-late: #c4665e; --volume: #4d5a68;
  --band: rgba(255, 120, 110, 0.13); --away: rgba(159, 171, 184, 0.2);
  --arrival: #97a5b5; --gate: #4dbac6; --lookahead: #5e97ea; --queue: #ee6f40; --decode: #f0b445; --segment: #ae86e2;
  --publish: #4fb374; --delivery: #dd74a8;`;

const STAGE_FILLS = ['arrival', 'gate', 'lookahead', 'queue', 'decode', 'segment', 'publish', 'delivery']
  .map((stage) => `.stage.${stage} { fill: var(--${stage}); background: var(--${stage}); }`)
  .join('\n');

export const PAGE_STYLE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
@media print { :root { color-scheme: light; ${LIGHT} --page: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto,
  'Liberation Sans', sans-serif; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; }
h2 { font-size: 17px; margin: 0 0 10px; }
h3 { font-size: 14px; margin: 0 0 4px; font-weight: 600; }
p { margin: 0 0 8px; }
.when { color: var(--quiet); margin: 4px 0 16px; }
.verdict { border-radius: 10px; padding: 12px 16px; margin: 0 0 16px; font-size: 17px; border: 1px solid var(--rule); background: var(--card); }
.verdict.good { color: var(--good); background: var(--good-back); border-color: transparent; }
.verdict.bad { color: var(--bad); background: var(--bad-back); border-color: transparent; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 10px; margin: 0 0 16px; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 10px 14px; }
.tiles .name { color: var(--quiet); font-size: 13px; display: block; }
.tiles .figure { font-size: 25px; font-weight: 600; font-variant-numeric: tabular-nums; display: block; line-height: 1.3; }
.tiles .note { color: var(--quiet); font-size: 12.5px; display: block; }
.tiles .figure.bad { color: var(--bad); }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px; margin: 0 0 16px; }
.explained { color: var(--quiet); font-size: 13.5px; }
svg { width: 100%; height: auto; display: block; font-family: inherit; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; }
.pair > .whole { grid-column: 1 / -1; max-width: 620px; }
ul.findings { list-style: none; margin: 0; padding: 0; }
ul.findings li { padding: 7px 0 7px 14px; border-left: 4px solid var(--bad); margin: 0 0 8px; }
ul.findings li.restarts, ul.findings li.over { border-color: var(--budget); }
ul.findings li.away { border-color: var(--quiet); }
.wide { overflow-x: auto; }
.pair + *, dl + .wide, svg + .wide, .wide + .foot, .wide + .explained { margin-top: 14px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: 12.5px; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th.number, td.number { text-align: right; white-space: nowrap; }
td.quiet { color: var(--quiet); }
td.bad { color: var(--bad); }
td:has(.swatch) { white-space: nowrap; }
.swatch { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 7px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 0; font-size: 14px; }
dt { color: var(--quiet); }
dd { margin: 0; }
.foot { color: var(--quiet); font-size: 12.5px; }
text { fill: var(--ink); font-size: 12px; }
.tick, .row-name, .row-figure { font-size: 12px; fill: var(--quiet); font-variant-numeric: tabular-nums; }
.panel-title { font-size: 13px; font-weight: 600; }
.total { fill: var(--ink); font-weight: 600; }
.grid { stroke: var(--grid); stroke-width: 1; }
.axis, .joint { stroke: var(--quiet); stroke-width: 1; }
.between { fill: var(--area); }
.curve { fill: none; stroke: var(--accent); stroke-linejoin: round; }
.curve.p50Ms { stroke-width: 1.4; }
.curve.p95Ms { stroke-width: 2.4; }
.curve.p99Ms { stroke-width: 1; stroke-dasharray: 2 3; }
.point { fill: var(--accent); }
.limit { stroke-width: 1.4; stroke-dasharray: 6 4; }
.limit.mark { stroke: var(--ink); stroke-dasharray: none; stroke-width: 1; }
.limit.budget { stroke: var(--budget); }
.limit.ofcom { stroke: var(--ofcom); }
.limit-label { font-size: 12px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.limit-label.budget { fill: var(--budget); }
.limit-label.ofcom { fill: var(--ofcom); }
.bar { fill: var(--bar); }
.bar.late { fill: var(--bar-late); }
.volume, .total-bar { fill: var(--volume); }
.band { fill: var(--band); }
.band.away { fill: var(--away); }
.band.restarts { fill: none; stroke: var(--budget); stroke-dasharray: 2 3; }
.gap-mark { fill: var(--bad); }
.hover { fill: transparent; }
.hover:hover { fill: var(--area); }
${STAGE_FILLS}
@media (max-width: 720px) { .tiles { grid-template-columns: 1fr 1fr; } .pair { grid-template-columns: 1fr; } h1 { font-size: 22px; } main { padding: 18px 12px; } section { padding: 12px; } }
@page { size: A4; margin: 14mm 13mm; }
@media print {
  body { font-size: 10.5pt; }
  main { padding: 0; max-width: none; }
  svg, .pair, .tiles li, .verdict, li, dl, section:has(> svg) { break-inside: avoid; }
  section > svg { max-height: 88mm; }
  h1 { font-size: 18pt; }
  h2 { font-size: 12.5pt; margin-bottom: 5px; }
  .when, .verdict, .tiles, section { margin-bottom: 8px; }
  .verdict { font-size: 12pt; padding: 7px 12px; }
  .tiles { gap: 6px; }
  .tiles li { padding: 5px 10px; }
  .tiles .figure { font-size: 16pt; }
  section { padding: 8px 12px; }
  th, td { padding-top: 3px; padding-bottom: 3px; }
  table { font-size: 9.5pt; }
  ul.findings li { padding: 2px 0 2px 10px; margin-bottom: 5px; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`;
