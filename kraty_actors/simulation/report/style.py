"""How a report looks, on light and on dark screens."""

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #ffffff; --ink: #22272e; --soft: #667080; --line: #e4e2dc;
  --one: #2563a8; --two: #d9822b; --good: #1a7f4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --card: #1c2027; --ink: #e6e8eb; --soft: #98a1ae;
  --line: #2f353e; --one: #6ea8e6; --two: #eda557; --good: #58c08a; --bad: #f08078; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 40px 20px 60px; }
h1 { font-size: 34px; line-height: 1.15; margin: 0 0 8px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 10px; }
header { margin-bottom: 22px; }
header p, figcaption, footer { color: var(--soft); }
header p { margin: 0 0 4px; }
.kicker { text-transform: uppercase; letter-spacing: .09em; font-size: 12px; }
.verdict { border-left: 4px solid; border-radius: 4px; padding: 10px 14px; margin: 0 0 14px; background: var(--card); }
.verdict.over { border-color: var(--bad); color: var(--bad); }
.verdict.within { border-color: var(--good); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(155px, 1fr)); gap: 12px; margin: 0 0 26px; }
.card, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card { padding: 14px 16px; display: flex; flex-direction: column; }
.card b { font-size: 25px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card span { font-size: 13px; }
.card small { color: var(--soft); margin-top: 4px; }
section { padding: 20px 22px; margin: 0 0 18px; break-inside: avoid; }
figure { margin: 0; }
figcaption { font-size: 13px; margin-top: 6px; }
svg { display: block; width: 100%; height: auto; font-size: 11.5px; font-variant-numeric: tabular-nums; }
svg text { fill: var(--soft); }
svg .title { font-size: 12px; }
.grid { stroke: var(--line); }
.axis, .tick { stroke: var(--soft); }
.bar.one, .key.one { fill: var(--one); background: var(--one); }
.bar.two, .key.two { fill: var(--two); background: var(--two); }
.bar { fill-opacity: .78; }
.bar.two { fill-opacity: .62; }
.curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.curve.one { stroke: var(--one); }
.curve.two { stroke: var(--two); }
.band { fill-opacity: .16; }
.band.one { fill: var(--one); }
.band.two { fill: var(--two); }
.rug { stroke: var(--ink); stroke-opacity: .55; }
.rug.two { stroke: var(--two); stroke-opacity: 1; }
.mark { stroke: var(--ink); stroke-dasharray: 4 3; }
.mark.budget { stroke: var(--bad); stroke-dasharray: none; stroke-width: 1.6; }
svg .name { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .name.budget { fill: var(--bad); }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 5px 0 8px; }
.key:first-child { margin-left: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
td, th { padding: 4px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 500; text-align: left; }
tr:first-child th { color: var(--soft); text-align: right; }
td:last-child { color: var(--soft); }
footer { font-size: 13px; padding: 6px 4px; }
footer ul { padding-left: 18px; }
footer p { overflow-wrap: anywhere; }
"""
