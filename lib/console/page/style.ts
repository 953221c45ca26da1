import { fingerprint } from './fingerprint.ts';
import { PARTS_STYLE } from './style-parts.ts';

const BASE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f6f4, #131517);
  --sheet: light-dark(#ffffff, #1b1e21);
  --line: light-dark(#dedfdb, #31363b);
  --line-strong: light-dark(#8a8f8c, #6d757c);
  --ink: light-dark(#1c2022, #e6e8e8);
  --quiet: light-dark(#586065, #a3abb0);
  --link: light-dark(#0b5b8a, #7cc0ea);
  --accent: light-dark(#0b5b8a, #7cc0ea);
  --on-accent: light-dark(#ffffff, #0d1a22);
  --bad: light-dark(#a8201a, #ff9b91);
  --bad-ground: light-dark(#fcecea, #3a1d1b);
  --warn: light-dark(#7a4d00, #f0c069);
  --warn-ground: light-dark(#fdf3dc, #352a14);
  --good: light-dark(#1c6b3c, #86d6a4);
  --good-ground: light-dark(#e8f5ec, #16301f);
  --info-ground: light-dark(#e9f1f6, #182a36);
  --bar-denied: light-dark(#c4362e, #f07a6f);
  --bar-allowed: light-dark(#c3ccd1, #465058);
  --radius: 6px;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums;
}
h1 { font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; line-height: 1.4; font-weight: 650; margin: 0; overflow-wrap: anywhere; min-width: 0; }
h3 { font-size: 15px; font-weight: 650; margin: 0 0 8px; }
p { margin: 0; }
a { color: var(--link); text-underline-offset: 2px; text-decoration-thickness: 1px; }
code, .mono { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.is-bad { color: var(--bad); } .is-warn { color: var(--warn); } .is-good { color: var(--good); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
[hidden] { display: none !important; }
.skip { position: absolute; left: -999px; top: 8px; background: var(--sheet); padding: 8px 12px; z-index: 2; }
.skip:focus { left: 12px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.top {
  display: flex; align-items: center; gap: 12px; padding: 10px 24px; min-height: 52px;
  background: var(--sheet); border-bottom: 1px solid var(--line);
}
.brand { display: flex; align-items: center; gap: 8px; color: var(--ink); font-weight: 650; text-decoration: none; white-space: nowrap; }
.brand svg { fill: var(--accent); flex: none; }
.tag { font-size: 12px; line-height: 20px; padding: 0 8px; border: 1px solid var(--line-strong); border-radius: 10px; color: var(--quiet); }
.tag-strong { border-color: var(--bad); color: var(--bad); font-weight: 600; }
.who { margin-left: auto; display: flex; align-items: baseline; gap: 12px; min-width: 0; font-size: 13px; }
.who-name { font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.who-until, .who form { white-space: nowrap; flex: none; }
.frame { display: grid; grid-template-columns: 184px minmax(0, 1fr); max-width: 1440px; }
.frame-alone { grid-template-columns: minmax(0, 1fr); }
.screens { padding: 20px 0 20px 16px; }
.screens ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 2px; position: sticky; top: 20px; }
.screens a { display: block; padding: 7px 12px; border-radius: var(--radius); color: var(--ink); text-decoration: none; }
.screens a:hover { background: light-dark(#ebecea, #23272a); }
.screens a[aria-current] { background: var(--info-ground); color: var(--link); font-weight: 600; }
main { padding: 24px 32px 64px; min-width: 0; display: grid; gap: 24px; align-content: start; grid-template-columns: minmax(0, 1fr); }
.frame-alone main { max-width: 560px; width: 100%; margin: 0 auto; padding-top: 48px; }
.heading { display: grid; gap: 6px; }
.lead { color: var(--quiet); max-width: 72ch; }
section[aria-labelledby] { display: grid; gap: 10px; grid-template-columns: minmax(0, 1fr); }
.section-head { display: flex; align-items: baseline; gap: 12px; flex-wrap: wrap; }

@media (max-width: 760px) {
  body { font-size: 15px; }
  h1 { font-size: 22px; }
  .top { padding: 8px 16px; flex-wrap: wrap; gap: 4px 12px; }
  .brand { min-height: 32px; }
  .who { width: 100%; margin: 0; justify-content: flex-start; }
  .who form { margin-left: auto; }
  .frame { grid-template-columns: minmax(0, 1fr); }
  .screens { padding: 0; border-bottom: 1px solid var(--line); background: var(--sheet); position: sticky; top: 0; z-index: 1; overflow-x: auto; }
  .screens ul { display: flex; gap: 0; padding: 0 8px; position: static; width: max-content; }
  .screens a { padding: 11px 10px 9px; border-radius: 0; border-bottom: 2px solid transparent; white-space: nowrap; }
  .screens a[aria-current] { background: none; border-color: var(--accent); }
  main { padding: 20px 16px 48px; gap: 20px; }
}
@media (prefers-reduced-motion: no-preference) { .live-on::before { animation: beat 2s ease-in-out infinite; } }
@keyframes beat { 50% { opacity: 0.35; } }
`;

/** The one style sheet. */
export const STYLE = BASE_STYLE + PARTS_STYLE;

/** Where the style sheet is served. */
export const STYLE_PATH = `/console-${fingerprint(STYLE)}.css`;
