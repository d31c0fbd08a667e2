"""How the page of a report looks: on paper, on a phone, in the light and in the dark."""

from typing import Final

__all__ = ["CSS"]

#: Figures keep their white ground in the dark, as their colours are made for it.
CSS: Final = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d4d9df; --shade: #f4f6f8;
  --link: #005a9c; --good: #00664a; --bad: #a23c00; --open: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181c; --text: #e4e7eb; --soft: #a2abb5; --line: #383f47; --shade: #1e2329;
    --link: #7cc0f5; --good: #4fd0a5; --bad: #ff9c63; --open: #a2abb5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1.2rem 4rem; max-width: 68rem; overflow-wrap: break-word;
  background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0.5rem 0 0.6rem; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 0.6rem; padding-top: 0.8rem;
     border-top: 1px solid var(--line); }
p, li, .statements, nav { max-width: 46rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; list-style: none; padding: 0; }
.statements { list-style: none; padding: 0; }
.statements li { display: grid; grid-template-columns: 8.2rem 1fr; gap: 0.8rem;
                 padding: 0.45rem 0; border-bottom: 1px solid var(--line); }
.verdict { font-size: 0.85rem; font-weight: 600; padding-top: 0.1rem; color: var(--open); }
.verdict.good { color: var(--good); }
.verdict.bad { color: var(--bad); }
figure { margin: 1.6rem 0; }
.picture { overflow-x: auto; }
figure img { display: block; max-width: max(100%, 38rem); height: auto; margin: 0;
             padding: 0.4rem; background: #ffffff; border: 1px solid var(--line);
             border-radius: 4px; }
figcaption { color: var(--soft); font-size: 0.92rem; }
figcaption { max-width: 52rem; margin-top: 0.5rem; }
figcaption b { color: var(--text); }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.85em; }
.scroll { overflow-x: auto; margin-top: 0.6rem; }
td:first-child { min-width: 8rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left;
         vertical-align: top; }
thead th { border-bottom: 2px solid var(--soft); }
tbody tr:nth-child(even) { background: var(--shade); }
.number { text-align: right; white-space: nowrap; }
.origin { color: var(--soft); font-size: 0.85rem; }
.origin td, .origin th { font-weight: 400; overflow-wrap: anywhere;
                         padding: 0.15rem 0.75rem 0.15rem 0; }
@media (max-width: 32rem) {
  body { padding: 0.8rem 0.8rem 3rem; }
  h1 { font-size: 1.45rem; }
  .statements li { grid-template-columns: 1fr; gap: 0; }
  figure img { padding: 0.15rem; }
}
@media print {
  :root { --ground: #fff; --text: #000; --soft: #333; --line: #999; --shade: #f4f4f4;
          --link: #000; --good: #000; --bad: #000; --open: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2 { break-after: avoid; }
  figure, tr, .statements li { break-inside: avoid; }
  figure img { max-width: 100%; max-height: 20cm; width: auto; border: 0; }
  .scroll, .picture { overflow: visible; }
  table { font-size: 8pt; }
}
"""
