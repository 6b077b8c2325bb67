/** Style and script of a report's page: both are part of it, since it has no outside address. */
import { createHash } from 'node:crypto';

export const STYLE = `
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --text: #1b2230; --dim: #5d6778; --line: #dfe3ea; --reference: #b9c3d3; --current: #1f5fd0; --red: #b42318; --red-back: #fdecea; --green: #17703a; --green-back: #e6f4ea; --amber: #8a5300; --amber-back: #fdf2dc; --track: #eef1f5; }
@media (prefers-color-scheme: dark) { :root { --back: #11151c; --card: #1a202a; --text: #e6eaf1; --dim: #9aa6b8; --line: #2e3744; --reference: #55637a; --current: #79a9ff; --red: #ff9d92; --red-back: #41211f; --green: #7ddba0; --green-back: #183524; --amber: #f5c469; --amber-back: #3b2d12; --track: #232b37; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; padding: 24px 16px 64px; }
main, body > header { max-width: 1120px; margin: 0 auto; }
h1 { font-size: 22px; line-height: 1.3; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 32px 0 12px; }
h3 { font-size: 16px; overflow-wrap: anywhere; min-width: 0; }
p { overflow-wrap: anywhere; }
.dim { color: var(--dim); }
.small { font-size: 13px; }
.sides { margin-top: 4px; color: var(--dim); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 220px), 1fr)); gap: 12px; margin-top: 16px; }
.tile, article, .table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tile { padding: 12px 16px; border-left: 5px solid var(--line); color: inherit; text-decoration: none; } a.tile:hover, a.tile:focus-visible { border-color: var(--current); }
.tile b { display: block; font-size: 18px; }
.tile.bad { border-left-color: var(--red); } .tile.good { border-left-color: var(--green); } .tile.open { border-left-color: var(--amber); }
.tools { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; padding: 10px 0; background: var(--back); }
.tools input[type=search] { flex: 1 1 220px; max-width: 420px; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 7px 12px; }
.legend i { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin: 0 5px 0 10px; }
.legend .r { background: var(--reference); } .legend .c { background: var(--current); }
.features { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 500px), 1fr)); gap: 14px; }
article { padding: 14px 16px; min-width: 0; }
.features article { content-visibility: auto; contain-intrinsic-size: auto 420px; }
article.drifted, article.failed { border-left: 5px solid var(--red); }
article header { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; margin-bottom: 4px; }
article header .dim { margin-left: auto; }
.badge { font-size: 12.5px; font-weight: 600; padding: 1px 9px; border-radius: 99px; white-space: nowrap; color: var(--amber); background: var(--amber-back); }
.badge.drifted, .badge.failed { color: var(--red); background: var(--red-back); }
.badge.ok { color: var(--green); background: var(--green-back); }
svg { display: block; width: 100%; height: auto; margin: 10px 0 8px; }
svg text { font-size: 10.5px; fill: var(--dim); } svg .label { fill: var(--text); }
@media (max-width: 480px) { svg text { font-size: 12px; } }
svg .reference { fill: var(--reference); } svg path.current { fill: none; stroke: var(--current); stroke-width: 1.7; stroke-linejoin: round; } svg .bar { fill: var(--current); }
svg .hit { fill: transparent; } svg .hit:hover, svg g:hover > .hit { fill: var(--track); fill-opacity: .7; } svg .axis { stroke: var(--line); }
.numbers { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
.numbers th { font-weight: 400; color: var(--dim); text-align: left; } .numbers td { text-align: right; } .numbers thead th { text-align: right; } .numbers thead th:first-child { text-align: left; }
.verdict { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 8px; font-size: 13px; color: var(--dim); } .verdict b { color: var(--text); font-weight: 600; }
details { margin-top: 8px; } summary { cursor: pointer; color: var(--dim); font-size: 13px; }
.table { overflow-x: auto; } .table table { width: 100%; border-collapse: collapse; } .table th, .table td { text-align: left; padding: 7px 12px; border-top: 1px solid var(--line); vertical-align: top; } .table tr:first-child > th { border-top: 0; } .table th { font-weight: 600; white-space: nowrap; } .table td { overflow-wrap: anywhere; min-width: 90px; }
.notes { padding-left: 20px; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
@media print { .tools { display: none; } article { break-inside: avoid; content-visibility: visible !important; } }
`.trim();

export const SCRIPT = `
const box = document.getElementById('search'), only = document.getElementById('only'), shown = document.getElementById('shown');
const items = [...document.querySelectorAll('[data-item]')].map((item) => [item, item.querySelector('[data-name]').textContent.toLowerCase()]);
const sift = () => {
  const words = box.value.toLowerCase().trim();
  let count = 0;
  for (const [item, text] of items) {
    item.hidden = !text.includes(words) || (only.checked && item.dataset.item === 'quiet');
    if (!item.hidden && item.tagName === 'ARTICLE') count++;
  }
  shown.textContent = count + (count === 1 ? ' column' : ' columns');
};
box.addEventListener('input', sift);
only.addEventListener('change', sift);
sift();
`.trim();

/** Nothing is loaded, and no script but this one runs. */
export const POLICY = `default-src 'none'; style-src 'sha256-${sha256(STYLE)}'; script-src 'sha256-${sha256(SCRIPT)}'; base-uri 'none'; form-action 'none'`;

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
