import { fingerprint } from './fingerprint.ts';

/**
 * The one script of the console, for the browser as it stands. Every page works without it, save that nothing moves. Text
 * goes into the page by `textContent` only; Trusted Types would refuse anything else.
 */
export const SCRIPT = String.raw`'use strict';
(() => {
  const by = (id) => document.getElementById(id);
  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const time = (ms) => new Date(ms).toISOString().slice(11, 19);
  const put = (node, text) => { if (node && node.textContent !== text) node.textContent = text; };

  // A link of npm run dev carries a token in its fragment, which no server and no log sees.
  const box = by('token');
  if (box && box.dataset.link === 'open' && location.hash.startsWith('#token=')) {
    box.value = decodeURIComponent(location.hash.slice(7));
    history.replaceState(null, '', location.pathname);
    box.form.requestSubmit();
  }

  // On a phone the navigation scrolls sideways: the present screen is to be seen.
  document.querySelector('.screens [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });

  for (const node of document.querySelectorAll('[data-session-end]')) {
    const leftMs = Number(node.dataset.sessionEnd) * 1000 - Date.now();
    if (leftMs > 0 && leftMs < 2147483647) setTimeout(() => location.assign('/sign-in?over'), leftMs + 500);
  }

  for (const node of document.querySelectorAll('[data-bound-sec]')) {
    const endMs = performance.now() + Number(node.dataset.boundSec) * 1000;
    const tick = () => {
      const left = Math.max(0, Math.ceil((endMs - performance.now()) / 1000));
      put(node, left === 0 ? 'now everywhere' : 'in at most ' + left + ' s');
      if (left > 0) setTimeout(tick, 200);
      else document.querySelector('[data-bound-done]')?.removeAttribute('hidden');
    };
    tick();
  }

  // A verification tells how far it is while it runs. What is no such answer is a page: the form is sent as it is.
  for (const form of document.querySelectorAll('form[data-progress]')) {
    form.addEventListener('submit', async (event) => {
      if (event.submitter?.hasAttribute('formaction')) return;
      event.preventDefault();
      const body = new URLSearchParams(new FormData(form));
      body.set('stream', 'yes');
      const told = by('progress-text');
      by('progress')?.removeAttribute('hidden');
      put(told, 'Verifying…');
      event.submitter?.setAttribute('disabled', '');
      try {
        const answer = await fetch(form.action, { method: 'POST', body });
        if (!answer.body || !(answer.headers.get('content-type') ?? '').includes('ndjson')) return form.submit();
        const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let rest = ''; ;) {
          const { done, value } = await lines.read();
          if (done) break;
          const parts = (rest + value).split('\n');
          rest = parts.pop() ?? '';
          for (const part of parts) {
            const line = JSON.parse(part);
            if (line.state === 'running') put(told, 'Verifying… ' + number(line.records) + ' records so far');
            else if (line.state === 'done') return location.assign('/audit');
            else break;
          }
        }
      } catch {}
      put(told, 'The verification broke off: the archive does not answer, or this page lost its connection.');
      event.submitter?.removeAttribute('disabled');
      by('progress-bar')?.setAttribute('hidden', '');
    });
  }

  const live = document.querySelector('[data-live]');
  if (live) start(live);

  function start(root) {
    const state = by('live-state');
    const button = by('live-pause');
    let paused = false;
    let source = null;
    let timer = 0;
    let last = null;
    const say = (kind, text) => { if (state) { put(state, text); state.className = 'live live-' + kind; } };
    const take = (data) => {
      clearTimeout(losing);
      losing = 0;
      last = data;
      if (!paused) requestAnimationFrame(() => last && show(last));
    };
    const show = (data) => {
      last = null;
      say(data.isAnswering ? 'on' : 'off', data.isAnswering ? 'Live' : 'Outbox does not answer');
      by('outbox-down')?.toggleAttribute('hidden', data.isAnswering);
      const all = data.allowed + data.denied;
      put(by('f-denied'), number(data.denied));
      put(by('f-allowed'), number(data.allowed));
      put(by('f-share'), all === 0 || data.denied === 0 ? '0 %' : data.denied / all < 0.01 ? '<1 %' : Math.round(data.denied / all * 100) + ' %');
      put(by('f-groups'), number(data.groups.length + data.groupsLeftOut));
      put(by('chart-from'), time(data.fromMs).slice(0, 5));
      put(by('chart-to'), time(data.atMs).slice(0, 5));
      bars(data.slices);
      groups(data.groups);
    };
    const bars = (slices) => {
      const chart = document.querySelector('[data-chart]');
      if (!chart) return;
      const height = Number(chart.dataset.chart);
      const highest = Math.max(1, ...slices.map(([a, d]) => a + d));
      const tall = (value) => value === 0 ? 0 : Math.max(1.5, value / highest * (height - 4));
      chart.querySelectorAll('g').forEach((g, place) => {
        const [a, d] = slices[place] ?? [0, 0];
        const [top, foot] = [tall(a), tall(d)];
        const set = (node, y, h) => { node.setAttribute('y', y.toFixed(2)); node.setAttribute('height', h.toFixed(2)); };
        set(g.children[0], height - foot - top, top);
        set(g.children[1], height - foot, foot);
      });
    };
    const groups = (list) => {
      const body = by('groups');
      const pattern = by('group-row');
      if (!body || !pattern) return;
      by('no-denials')?.toggleAttribute('hidden', list.length > 0);
      by('denials')?.toggleAttribute('hidden', list.length === 0);
      const rows = new Map([...body.children].map((row) => [row.dataset.key, row]));
      const held = body.contains(document.activeElement);
      list.forEach((group, place) => {
        let row = rows.get(group.key);
        rows.delete(group.key);
        if (!row) {
          row = pattern.content.firstElementChild.cloneNode(true);
          row.dataset.key = group.key;
        }
        for (const part of row.querySelectorAll('[data-part]')) {
          const name = part.dataset.part;
          if (name === 'link') part.setAttribute('href', '/why?request_id=' + encodeURIComponent(group.lastRequestId));
          else put(part, name === 'count' || name === 'callers' ? number(group[name]) : name === 'last' ? time(group.lastMs) : String(group[name] ?? ''));
        }
        row.classList.toggle('is-ours', group.isOurs === true);
        if (row.parentNode !== body || (!held && body.children[place] !== row)) body.insertBefore(row, body.children[place] ?? null);
      });
      for (const row of rows.values()) if (!row.contains(document.activeElement)) row.remove();
    };
    let losing = 0;
    const lost = () => { losing ||= setTimeout(() => { if (!paused) say('off', 'Not connected, trying again'); }, 4000); };
    const ended = (status) => { if (status === 401) location.assign('/sign-in?over'); };
    const poll = async () => {
      if (!document.hidden && !paused) {
        try {
          const answer = await fetch('/live', { headers: { accept: 'application/json' } });
          if (answer.ok) take(await answer.json());
          else { ended(answer.status); lost(); }
        } catch { lost(); }
      }
      timer = setTimeout(poll, 3000);
    };
    const open = () => {
      if (root.dataset.live === 'polling') { timer = setTimeout(poll, 3000); return; }
      source = new EventSource('/live');
      source.onmessage = (event) => take(JSON.parse(event.data));
      source.onerror = () => {
        lost();
        if (source && source.readyState === 2) timer = setTimeout(async () => { ended((await fetch('/live', { headers: { accept: 'application/json' } })).status); open(); }, 2000);
      };
    };
    button?.addEventListener('click', () => {
      paused = !paused;
      button.setAttribute('aria-pressed', String(paused));
      put(button, paused ? 'Resume' : 'Pause');
      if (paused) { source?.close(); clearTimeout(timer); say('paused', 'Paused'); } else { say('on', 'Live'); open(); }
    });
    open();
  }
})();
`;

/** Where the script is served; another script has another path, so that browsers may keep it. */
export const SCRIPT_PATH = `/console-${fingerprint(SCRIPT)}.js`;
