/** The parts of screens: notices, figures, tables, forms, charts. */
export const PARTS_STYLE = `
.notice { border: 1px solid var(--line); border-left: 4px solid var(--line-strong); border-radius: var(--radius); padding: 12px 16px; display: grid; gap: 4px; background: var(--sheet); overflow-wrap: anywhere; }
.notice > * { max-width: 92ch; }
.notice-bad { border-left-color: var(--bad); background: var(--bad-ground); }
.notice-bad > strong { color: var(--bad); }
.notice-warn { border-left-color: var(--warn); background: var(--warn-ground); }
.notice-warn > strong { color: var(--warn); }
.notice-good { border-left-color: var(--good); background: var(--good-ground); }
.notice-good > strong { color: var(--good); }
.notice-info { border-left-color: var(--accent); background: var(--info-ground); }
.notice p + p { margin-top: 6px; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 0; margin: 0; background: var(--sheet); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; }
.figure { padding: 12px 16px; min-width: 0; box-shadow: 1px 0 0 var(--line), 0 1px 0 var(--line); }
.figure dt { font-size: 13px; color: var(--quiet); }
.figure dd { margin: 0; font-size: 28px; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; overflow-wrap: anywhere; }
.figure dd.figure-note { font-size: 13px; line-height: 1.4; font-weight: 400; letter-spacing: 0; color: var(--quiet); margin-top: 2px; }
.figures-words .figure dd:not(.figure-note) { font-size: 18px; line-height: 1.4; letter-spacing: 0; }

.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: var(--radius); padding: 16px; }
.scroll { position: relative; overflow-x: auto; background: var(--sheet); border: 1px solid var(--line); border-radius: var(--radius); }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 9px 14px; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: 13px; font-weight: 600; color: var(--quiet); white-space: nowrap; background: light-dark(#fafaf9, #1f2326); }
tbody th { font-weight: 600; }
td code { font-size: 13px; }
.num { text-align: right; white-space: nowrap; }
.nowrap { white-space: nowrap; }
.wide { min-width: 220px; }
.count { font-size: 16px; font-weight: 600; }
tr.is-ours > :first-child { box-shadow: inset 4px 0 0 var(--bad); }
tr.is-ours .code { color: var(--bad); }
.code { font-weight: 600; }
.sub { display: block; font-size: 13px; color: var(--quiet); overflow-wrap: anywhere; }
.mark { display: inline-block; font-size: 12px; line-height: 20px; font-weight: 600; padding: 0 8px; border-radius: 10px; white-space: nowrap; background: light-dark(#ecedeb, #2a2f33); color: var(--quiet); }
.mark-bad { background: var(--bad-ground); color: var(--bad); }
.mark-warn { background: var(--warn-ground); color: var(--warn); }
.mark-good { background: var(--good-ground); color: var(--good); }

.live { font-size: 13px; font-weight: 600; display: inline-flex; align-items: center; gap: 7px; color: var(--quiet); }
.live::before { content: ''; width: 8px; height: 8px; border-radius: 50%; background: var(--line-strong); }
.live-on { color: var(--good); } .live-on::before { background: var(--good); }
.live-off { color: var(--bad); } .live-off::before { background: var(--bad); }
.live-root { display: grid; gap: 24px; grid-template-columns: minmax(0, 1fr); }
.bar { display: flex; align-items: center; gap: 16px; flex-wrap: wrap; }

.chart { margin: 0; background: var(--sheet); border: 1px solid var(--line); border-radius: var(--radius); padding: 14px 16px 10px; }
.chart svg { display: block; width: 100%; height: 88px; }
.chart-base { stroke: var(--line); }
.bar-allowed { fill: var(--bar-allowed); } .bar-denied { fill: var(--bar-denied); }
.chart figcaption { display: flex; justify-content: space-between; gap: 12px; font-size: 13px; color: var(--quiet); margin-top: 6px; }
.legend { display: inline-flex; align-items: center; gap: 6px; flex-wrap: wrap; justify-content: center; }
.swatch { width: 10px; height: 10px; border-radius: 2px; display: inline-block; margin-left: 8px; }
.swatch-denied { background: var(--bar-denied); } .swatch-allowed { background: var(--bar-allowed); }

.form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr)); gap: 16px; align-items: start; }
.field { display: grid; gap: 5px; min-width: 0; align-content: start; }
.field-wide, .form > .actions { grid-column: 1 / -1; }
label, .label { font-size: 13px; font-weight: 600; }
.help { font-size: 13px; color: var(--quiet); max-width: 68ch; }
input[type='text'], input[type='password'], input[type='datetime-local'], select, textarea {
  font: inherit; font-size: 15px; color: var(--ink); background: light-dark(#ffffff, #15181a); border: 1px solid var(--line-strong);
  border-radius: var(--radius); padding: 8px 10px; width: 100%; min-height: 40px;
}
textarea { font-family: var(--mono); font-size: 13px; min-height: 88px; resize: vertical; }
.actions { display: flex; gap: 12px; align-items: center; flex-wrap: wrap; }
button { font: inherit; font-weight: 600; min-height: 40px; padding: 7px 16px; border-radius: var(--radius); border: 1px solid transparent; background: var(--accent); color: var(--on-accent); cursor: pointer; }
button:hover { filter: brightness(1.08); }
button.second { background: none; color: var(--ink); border-color: var(--line-strong); }
button.danger { background: light-dark(#a8201a, #ff9b91); color: light-dark(#ffffff, #2b0d0b); }
button.plain { background: none; border: 0; padding: 0; min-height: 0; color: var(--link); text-decoration: underline; text-underline-offset: 2px; text-decoration-thickness: 1px; font-weight: 400; }
button.small { min-height: 32px; padding: 3px 12px; font-size: 14px; white-space: nowrap; }
summary { cursor: pointer; }
.block { display: block; }
section > h3 { margin: 8px 0 -2px; }
progress { width: 160px; height: 8px; accent-color: var(--accent); }
tr.is-named { background: var(--info-ground); }
.form details .form { margin-top: 12px; }

.steps { list-style: none; margin: 0; padding: 0; background: var(--sheet); border: 1px solid var(--line); border-radius: var(--radius); overflow: hidden; }
.steps > li + li { border-top: 1px solid var(--line); }
.steps summary, .steps .step { padding: 10px 16px; display: grid; grid-template-columns: 22px 120px minmax(0, 1fr); gap: 10px; align-items: baseline; }
.steps summary { cursor: pointer; list-style: none; }
.steps summary::-webkit-details-marker { display: none; }
.steps .step-name { font-weight: 600; }
.steps .step-body { padding: 2px 16px 14px 48px; }
.steps .is-failed { background: var(--bad-ground); }
.steps .is-failed .step-name { color: var(--bad); }
.facts { display: grid; grid-template-columns: minmax(72px, auto) minmax(0, 1fr); gap: 4px 16px; margin: 0; font-size: 14px; }
.facts dt { color: var(--quiet); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.facts-sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: var(--radius); padding: 14px 16px; }
.empty { border: 1px dashed var(--line-strong); border-radius: var(--radius); padding: 28px 20px; text-align: center; color: var(--quiet); }
.empty-title { font-weight: 600; color: var(--ink); }
.meter { display: block; width: 120px; height: 6px; border-radius: 3px; margin-top: 6px; }
.meter-ground { fill: var(--bar-allowed); } .meter-value { fill: var(--accent); } .meter-low { fill: var(--bar-denied); }
.big { font-size: 32px; line-height: 1.2; font-weight: 650; letter-spacing: -0.02em; }
.list { margin: 0; padding-left: 20px; } .list li + li { margin-top: 4px; }
@media (max-width: 760px) {
  .steps summary, .steps .step { grid-template-columns: 22px minmax(0, 1fr); }
  .steps .step-finding { grid-column: 2; }
  .steps .step-body { padding-left: 16px; }
  .figure dd { font-size: 24px; }
  .scroll table, .scroll tbody { display: block; }
  .scroll thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .scroll tr { display: grid; grid-template-columns: minmax(0, 1fr); gap: 4px; padding: 12px 16px; border-bottom: 1px solid var(--line); }
  .scroll tbody tr:last-child { border-bottom: 0; }
  .scroll td, .scroll tbody th { display: block; padding: 0; border: 0; text-align: left; min-width: 0; }
  .scroll td[data-label] { display: grid; grid-template-columns: 92px minmax(0, 1fr); gap: 8px; }
  .scroll td[data-label] > .mark { justify-self: start; }
  .scroll td[data-label]::before { content: attr(data-label); color: var(--quiet); font-size: 13px; }
  .scroll .count { font-size: 24px; line-height: 1.2; }
  tr.is-ours { box-shadow: inset 4px 0 0 var(--bad); }
  tr.is-ours > :first-child { box-shadow: none; }
}
`;
