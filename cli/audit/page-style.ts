/** All that the page looks like. Colours of text have a contrast of 4.5 at least, light and dark. */
export const STYLE = `
:root{color-scheme:light dark;
--bg:#f4f5f7;--card:#fff;--text:#1b2129;--soft:#57616e;--line:#dde1e7;--code:#f1f3f6;
--good:#18794e;--good-bg:#e7f5ed;--good-mark:#2f9e68;
--bad:#b4232c;--bad-bg:#fcebec;--bad-mark:#d6333d;
--warn:#8a5200;--warn-bg:#fdf1dc;--warn-mark:#d98a00;
--info:#1d5fb8;--info-mark:#3b82d9;--rpo:#1d5fb81a;--snap:#7b8694}
@media (prefers-color-scheme:dark){:root{
--bg:#0e1217;--card:#161b22;--text:#e6eaef;--soft:#9ca8b6;--line:#2b333d;--code:#0f141a;
--good:#56c596;--good-bg:#10291e;--good-mark:#3fae7c;
--bad:#ff8a8f;--bad-bg:#34161a;--bad-mark:#f0555e;
--warn:#f0b656;--warn-bg:#31240d;--warn-mark:#e09c2c;
--info:#86b8ff;--info-mark:#5b9bf0;--rpo:#86b8ff24;--snap:#8593a3}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:20px 20px 48px}
h1,h2,h3,p,ul,dl,dd,figure{margin:0;padding:0}
h1{font-size:clamp(22px,4.2vw,32px);line-height:1.2;letter-spacing:-.015em;text-wrap:balance}
h2{font-size:19px;margin:36px 0 12px;letter-spacing:-.01em}
h3{font-size:15px;line-height:1.4}
a{color:var(--info)}
.soft{color:var(--soft)}
code,.id{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.88em}
.id{overflow-wrap:anywhere}
td,th.id{white-space:nowrap}
td.why,.counts td:last-child{white-space:normal;min-width:190px;overflow-wrap:anywhere}
.kicker{font-size:13px;color:var(--soft);margin-bottom:10px}
.verdict{display:flex;gap:18px;align-items:flex-start;background:var(--card);border:1px solid var(--line);border-left:6px solid var(--good-mark);border-radius:10px;padding:22px}
.verdict.bad{border-left-color:var(--bad-mark)}
.verdict.none{border-left-color:var(--warn-mark)}
.verdict svg{flex:none;width:44px;height:44px}
.verdict p{margin-top:6px;font-size:16px;max-width:72ch}
.good-fill{fill:var(--good-mark)}.bad-fill{fill:var(--bad-mark)}.none-fill{fill:var(--warn-mark)}
.sign{fill:none;stroke:var(--card);stroke-width:4;stroke-linecap:round;stroke-linejoin:round}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:10px 22px;margin-top:14px;font-size:14px}
.facts dt{color:var(--soft);font-size:12.5px}
.facts dd{overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:18px;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
.tiles b{display:block;font-size:23px;white-space:nowrap;line-height:1.15;letter-spacing:-.02em;font-weight:650}
.tiles span{font-size:13px;color:var(--soft);overflow-wrap:anywhere}
.tiles .bad b{color:var(--bad)}.tiles .good b{color:var(--good)}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin-top:12px}
.finding{border-left:4px solid var(--bad-mark)}
.finding.notice{border-left-color:var(--warn-mark)}
.finding h3{display:flex;gap:8px;align-items:baseline;flex-wrap:wrap}
.finding p{margin-top:6px;max-width:88ch}
.finding .cause{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:13px;overflow-wrap:anywhere}
.chip{display:inline-block;border-radius:99px;padding:1px 9px;font-size:12.5px;font-weight:600;white-space:nowrap}
.chip.good{background:var(--good-bg);color:var(--good)}.chip.bad{background:var(--bad-bg);color:var(--bad)}
.chip.warn{background:var(--warn-bg);color:var(--warn)}.chip.plain{background:var(--code);color:var(--soft)}
pre{margin:10px 0 0;padding:10px 12px;background:var(--code);border:1px solid var(--line);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all;-webkit-user-select:all}
pre span{display:inline-block;max-width:100%}
.scroll{overflow-x:auto;margin-top:10px}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--info);outline-offset:2px;border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-size:12.5px;font-weight:600;color:var(--soft);white-space:nowrap}
thead th{vertical-align:bottom}
.counts thead th{white-space:normal;min-width:58px}
tbody th{color:var(--text);font-size:14px}
tbody tr:last-child>*{border-bottom:0}
.num{text-align:right}
td.bad{color:var(--bad);font-weight:650}td.warn{color:var(--warn);font-weight:650}
.zero{color:var(--soft)}
summary{cursor:pointer;padding:2px 0}
details>summary{font-weight:600}
.more{margin-top:10px;font-size:14px}
.legend{display:flex;flex-wrap:wrap;gap:6px 16px;font-size:13px;color:var(--soft);list-style:none;margin-top:-4px}
.legend li{display:flex;align-items:center;gap:6px}
.volume header{display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline}
.volume h3 .id{font-size:13.5px;font-weight:400;white-space:nowrap}
.places{list-style:none;margin-top:6px;font-size:14px;display:grid;gap:3px}
.line{display:block;width:100%;margin-top:10px;overflow:visible}
.line text{font-size:11.5px;fill:var(--soft)}
.line .end,.line .tick.end{text-anchor:end}
.tick{text-anchor:middle}.tick.start{text-anchor:start}
.end{fill:var(--info)}
.line line{stroke:var(--line)}
.rpo{fill:var(--rpo)}
.sample .rpo{stroke:var(--info-mark);stroke-width:1px}
.line,.sample{color:var(--text)}
rect:not([class]){width:7px;height:10px;rx:1.5px;transform:translateX(-3.5px);fill:var(--good-mark)}
.run{rx:1.5px;opacity:.85}
.run.ok{fill:var(--good-mark)}
circle:not([class]){r:3px;fill:var(--snap)}.run.snap{fill:var(--snap)}
.dup,.run.dup{fill:var(--warn-mark)}
.way{fill:var(--card);stroke:var(--info-mark);stroke-width:2px}.run.way{stroke:none;fill:var(--info-mark);opacity:.35}
.late,.run.late{fill:var(--warn-mark)}
.miss{fill:var(--card);stroke:var(--bad-mark);stroke-width:1.8px}.run.miss{stroke:none;fill:var(--bad-mark);opacity:.3}
.fail,.run.fail{fill:var(--bad-mark)}
.key,.run.key{fill:var(--bad-mark)}
.run.late,.run.fail,.run.key,.run.dup{opacity:.35}
.line g:hover>*{filter:brightness(1.25)}
.defs{position:absolute;width:0;height:0}
.healthy .volume{padding:14px 0 6px;border-top:1px solid var(--line);content-visibility:auto;contain-intrinsic-size:auto 150px}
.healthy>.volume:first-of-type{margin-top:10px}
footer{margin-top:40px;padding-top:16px;border-top:1px solid var(--line);font-size:13.5px;color:var(--soft)}
footer dl{display:grid;grid-template-columns:minmax(110px,max-content) 1fr;gap:4px 14px;margin-top:8px}
footer dt{font-weight:600}
@media (max-width:600px){.tick.half{display:none}main{padding:12px 12px 32px}.verdict{padding:16px;gap:12px}.verdict svg{width:32px;height:32px}.card{padding:14px}.tiles{grid-template-columns:1fr 1fr}.tiles b{font-size:22px}footer dl{grid-template-columns:1fr}footer dd{margin-bottom:6px}}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light}body{background:#fff;font-size:12px}main{max-width:none;padding:0}.card,.verdict,.tiles li,.volume{break-inside:avoid}h2{break-after:avoid}.scroll{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}.healthy .volume{content-visibility:visible}}
`.trim();
