/** A world as one HTML page: members as rows, time from left to right, what happened as bars and marks that say more on a touch. */
import type { Mark, Stretch } from './chronicle.ts';
import { type Summary, summaryOf } from './summary.ts';
import type { Outcome } from './world.ts';

const LEFT = 150;
const RIGHT = 24;
const ROW = 34;
const TOP = 64;

const PHASES: Readonly<Record<string, string>> = {
  open: '#e8ecef',
  train: '#cfe3f5',
  reveal: '#fbe3b8',
  witness: '#d9ead3',
  finalize: '#e3d7f2',
};

/** Marks worth a sign of their own: shape, colour, and what they mean. */
const SIGNS: Readonly<Record<string, readonly [shape: string, color: string, meaning: string]>> = {
  credited: ['circle', '#2e8b57', 'credited'],
  uncredited: ['ring', '#c0392b', 'a round without credit'],
  committed: ['tick', '#2f6fb0', 'committed'],
  verdict: ['diamond', '#7d5ba6', 'gave a verdict'],
  audit: ['small', '#b39ddb', 'drawn as auditor'],
  crash: ['cross', '#111', 'the process ends'],
  start: ['up', '#555', 'a process starts'],
  joined: ['up', '#2e8b57', 'joined'],
  away: ['small', '#e67e22', 'silent, or has left: away'],
  fault: ['cross', '#c0392b', 'proven at fault'],
  forfeited: ['ring', '#8e1b10', 'forfeits'],
  finalized: ['line', '#34495e', 'a round ends with a header'],
  void: ['line', '#c0392b', 'a round is void'],
  redrawn: ['small', '#16a085', 'other witnesses are drawn'],
};

export function timelineOf(outcome: Outcome): string {
  const { chronicle, plan } = outcome;
  const summary = summaryOf(outcome);
  const people = summary.people;
  const endMs = Math.max(1000, chronicle.nowMs);
  const width = Math.max(1240, Math.min(6000, LEFT + RIGHT + Math.round(endMs / 100)));
  const height = TOP + (people.length + 1) * ROW + 30;
  const x = (ms: number) => LEFT + (Math.min(ms, endMs) / endMs) * (width - LEFT - RIGHT);
  const y = (row: number) => TOP + row * ROW + ROW / 2;
  const svg = [
    ...axis(endMs, x, height),
    ...chronicle.stretches.map((stretch) => bar(stretch, x, height)),
    ...names(summary, y, width),
    ...(chronicle.healedAtMs === undefined ? [] : [heal(x(chronicle.healedAtMs), height)]),
    ...chronicle.marks.flatMap((mark) => sign(mark, x, y, people.length)),
  ].join('\n');
  const title = `Folkmoot, seed ${plan.seed}`;
  return page(title, summary, `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${svg}</svg>`);
}

function axis(endMs: number, x: (ms: number) => number, height: number): string[] {
  const stepMs = [1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 300_000].find((ms) => endMs / ms <= 24) ?? 600_000;
  const count = Math.floor(endMs / stepMs) + 1;
  return Array.from({ length: count }, (_, i) => {
    const at = x(i * stepMs).toFixed(1);
    return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 26}"/><text class="axis" x="${at}" y="${height - 10}">${(i * stepMs) / 1000} s</text>`;
  });
}

function bar({ fromMs, toMs, who, kind, text }: Stretch, x: (ms: number) => number, height: number): string {
  const left = x(fromMs);
  const width = Math.max(1, x(toMs) - left);
  const box = (top: number, tall: number, fill: string, extra = '') =>
    `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${tall}" fill="${fill}"${extra}>${tip(`${kind}: ${text}`, fromMs, toMs)}</rect>`;
  if (who === -2) {
    const label =
      kind === 'train' && width > 52
        ? `<text class="round" x="${(left + 4).toFixed(1)}" y="${TOP - 22}">${escaped(text)}</text>`
        : '';
    return box(TOP - 18, 14, PHASES[kind] ?? '#eee') + label;
  }
  const top = who < 0 ? TOP : TOP + (who + 1) * ROW;
  if (kind === 'down') return box(top + 5, ROW - 10, 'url(#down)');
  return who < 0 && height > 0
    ? box(top + 8, ROW - 16, '#f6c9c0', ' opacity="0.8"')
    : box(top + 3, 5, '#e57373', ' opacity="0.9"');
}

function names({ people }: Summary, y: (row: number) => number, width: number): string[] {
  const rows = ['the world', ...people.map(({ name, adversary }) => (adversary ? `${name} · ${adversary}` : name))];
  return rows.map((text, row) => {
    const isLiar = row > 0 && people[row - 1]!.adversary !== undefined;
    return `<line class="row" x1="${LEFT}" x2="${width - RIGHT}" y1="${y(row)}" y2="${y(row)}"/><text class="name${isLiar ? ' liar' : ''}" x="${LEFT - 10}" y="${y(row) + 4}">${escaped(text)}</text>`;
  });
}

function heal(at: number, height: number): string {
  return `<line class="heal" x1="${at}" x2="${at}" y1="${TOP - 40}" y2="${height - 26}"/><text class="healed" x="${at + 5}" y="${TOP - 44}">the world heals</text>`;
}

function sign(mark: Mark, x: (ms: number) => number, y: (row: number) => number, rows: number): string[] {
  const known = SIGNS[mark.kind];
  if (!known) return [];
  const [shape, color] = known;
  const [at, on] = [x(mark.atMs), y(mark.who + 1)];
  const drawn =
    shape === 'line'
      ? `<line class="end" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${TOP - 18}" y2="${y(rows) + ROW / 2}" stroke="${color}">`
      : shapeAt(shape, at, on, color);
  const tag = /^<(\w+)/.exec(drawn)![1]!;
  return [`${drawn}${tip(`${mark.kind}: ${mark.text}`, mark.atMs)}</${tag}>`];
}

function shapeAt(shape: string, x: number, y: number, color: string): string {
  const at = (dx: number, dy: number) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`;
  switch (shape) {
    case 'circle':
      return `<circle cx="${x.toFixed(1)}" cy="${y}" r="5" fill="${color}">`;
    case 'ring':
      return `<circle cx="${x.toFixed(1)}" cy="${y}" r="4.5" fill="#fff" stroke="${color}" stroke-width="2">`;
    case 'small':
      return `<circle cx="${x.toFixed(1)}" cy="${y}" r="2.5" fill="${color}">`;
    case 'tick':
      return `<path d="M${at(0, -7)}L${at(0, 7)}" stroke="${color}" stroke-width="2">`;
    case 'diamond':
      return `<path d="M${at(0, -5)}L${at(5, 0)}L${at(0, 5)}L${at(-5, 0)}Z" fill="${color}">`;
    case 'cross':
      return `<path d="M${at(-5, -5)}L${at(5, 5)}M${at(5, -5)}L${at(-5, 5)}" stroke="${color}" stroke-width="2.5">`;
    default:
      return `<path d="M${at(0, -6)}L${at(5, 4)}L${at(-5, 4)}Z" fill="${color}">`;
  }
}

function tip(text: string, fromMs: number, toMs?: number): string {
  const time = toMs === undefined ? seconds(fromMs) : `${seconds(fromMs)} to ${seconds(toMs)}`;
  return `<title>${escaped(text)}\n${time}</title>`;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

function legend(): string {
  const phases = Object.entries(PHASES).map(
    ([name, color]) => `<span><i style="background:${color}"></i>${name}</span>`,
  );
  const bars = [
    '<span><i style="background:#e57373;height:5px"></i>a nemesis at work</span>',
    '<span><svg width="22" height="12"><rect width="22" height="12" fill="url(#down)"/></svg>no process</span>',
  ];
  const signs = Object.values(SIGNS).map(([shape, color, meaning]) => {
    const drawn =
      shape === 'line'
        ? `<line class="end" x1="8" x2="8" y1="0" y2="16" stroke="${color}">`
        : shapeAt(shape, 8, 8, color);
    return `<span><svg width="16" height="16">${drawn}</${/^<(\w+)/.exec(drawn)![1]}></svg>${meaning}</span>`;
  });
  return [...phases, ...bars, ...signs].join('');
}

function page(title: string, summary: Summary, svg: string): string {
  const { violation } = summary;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:14px/1.5 system-ui,sans-serif;margin:24px;color:#222;background:#fff}
h1{font-size:20px;margin:0 0 4px}p{margin:4px 0 12px;max-width:1200px}
.scroll{overflow-x:auto;border:1px solid #ddd;border-radius:6px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:12px 0;font-size:13px}
.legend span{display:inline-flex;align-items:center;gap:6px}.legend i{width:22px;height:12px;display:inline-block}
table{border-collapse:collapse;margin:12px 32px 12px 0;font-size:13px}
td,th{padding:3px 12px 3px 0;text-align:left;border-bottom:1px solid #eee;vertical-align:top}td.n{text-align:right}
.tables{display:flex;flex-wrap:wrap;align-items:flex-start}.bad{color:#a31515;font-weight:600}.good{color:#226b3f}
svg text{font:12px system-ui,sans-serif;fill:#333}.grid{stroke:#f0f0f0}.row{stroke:#ddd}.axis{text-anchor:middle;fill:#777!important}
.name{text-anchor:end}.liar{fill:#a31515!important}.heal{stroke:#226b3f;stroke-dasharray:4 3}.healed{fill:#226b3f!important}
.end{stroke-width:1.2;opacity:.55}.round{fill:#666!important;font-size:11px!important}
</style></head><body>
<svg width="0" height="0" style="position:absolute"><defs><pattern id="down" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#eee"/><line x1="0" x2="0" y1="0" y2="6" stroke="#999" stroke-width="2"/></pattern></defs></svg>
<h1>${escaped(title)}</h1>
<p>${summary.rounds} rounds ended, ${summary.voids} void, ${summary.entries} log entries in ${(summary.lastedMs / 1000).toFixed(0)} s of simulated time. Trace ${summary.traceHash.slice(0, 12)}.
${violation ? `<br><span class="bad">${escaped(violation.message)}</span>` : '<br><span class="good">No checker found anything wrong.</span>'}</p>
<div class="scroll">${svg}</div>
<div class="legend">${legend()}</div>
<div class="tables">${peopleTable(summary)}${checkersTable(summary)}</div>
</body></html>
`;
}

function peopleTable({ people }: Summary): string {
  const rows = people.map(({ name, adversary, earned, forfeited, fates, crashes }) => {
    const list = Object.entries(fates).map(([fate, count]) => `${count} ${fate}`);
    return `<tr><td${adversary ? ' class="bad"' : ''}>${escaped(name)}</td><td>${escaped(adversary ?? 'honest')}</td><td class="n">${earned}</td><td class="n">${forfeited}</td><td class="n">${crashes}</td><td>${escaped(list.join(', '))}</td></tr>`;
  });
  return `<table><tr><th>who</th><th>conduct</th><th>earned</th><th>forfeited</th><th>ends</th><th>rounds</th></tr>${rows.join('')}</table>`;
}

function checkersTable({ checkers }: Summary): string {
  const rows = checkers.map(
    ({ name, invariant, looks }) => `<tr><td>${invariant}</td><td>${name}</td><td class="n">${looks}</td></tr>`,
  );
  return `<table><tr><th></th><th>checker</th><th>looked</th></tr>${rows.join('')}</table>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
