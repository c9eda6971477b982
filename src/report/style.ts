/** The style of the page: fonts of the system, readable on a screen and on A4 paper. */
export const style = `
:root { color: #222; background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Apple SD Gothic Neo", "Malgun Gothic",
    "Noto Sans KR", "Noto Sans CJK KR", sans-serif; }
body { margin: 0; }
main { box-sizing: border-box; max-width: 960px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 12px; }
h2 { font-size: 19px; margin: 36px 0 6px; border-bottom: 2px solid #0072b2; padding-bottom: 3px; }
p, li { max-width: 48em; }
:lang(ko) { word-break: keep-all; }
.note { border-left: 4px solid #e69f00; padding: 4px 12px; background: #fff8e8; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 0 0 14px; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 12px 0; }
svg { display: block; max-width: 100%; height: auto; font-family: inherit; }
.wide { overflow-x: auto; margin: 10px 0 18px; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.35; width: 100%;
  font-variant-numeric: tabular-nums; }
table.small { width: auto; min-width: 26em; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { padding: 4px 8px; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top; }
th:first-child { text-align: left; }
th.words, td.words { text-align: left; }
thead th { background: #f2f5f8; border-bottom: 1px solid #999; }
tbody th { font-weight: 400; }
td { white-space: nowrap; }
@page { size: A4; margin: 14mm 12mm; }
@media print {
  :root { font-size: 11px; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 20px; }
  h2 { font-size: 15px; margin-top: 20px; break-after: avoid; }
  h2 + p { break-inside: avoid; break-after: avoid; }
  figure, tr { break-inside: avoid; }
  thead { display: table-header-group; break-after: avoid; }
  caption { break-after: avoid; }
  tbody tr:first-child { break-before: avoid; }
  .wide { overflow: visible; }
  table { font-size: 9.5px; }
  th, td { padding: 2px 4px; }
  .note, thead th { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`
