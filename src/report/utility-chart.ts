import type { ToldUtility } from '../core/told-disclosure.ts'
import { chartOf, colours } from './chart.ts'
import type { DisclosureSpeech } from './disclosure-speech.ts'
import { type Html, tableOf } from './html.ts'

type Column = ToldUtility[string]['columns'][string]

/** What was lost: rows by table, then a chart and a table of each table's columns. */
export function utilityCharts(utility: ToldUtility, speech: DisclosureSpeech): Html[] {
  const { say, count } = speech
  const tables = Object.entries(utility)
  const reasons = [
    ['rows', 'rows'],
    ['outsideScope', 'outsideScope'],
    ['sensitive', 'sensitiveRows'],
    ['otherPersons', 'otherPersons'],
  ] as const
  const rows = tableOf(
    say('rows'),
    [say('table'), ...reasons.map(([, word]) => say(word))],
    tables.map(([table, of]) => [
      speech.table(table),
      ...reasons.map(([reason]) => count(of.rows[reason] ?? 0)),
    ]),
  )
  return [
    rows,
    ...tables.flatMap(([table, { columns }]) =>
      Object.keys(columns).length === 0
        ? []
        : [cellChart(table, columns, speech), columnTable(table, columns, speech)],
    ),
  ]
}

/** Of the cells of each column, how many leave as they came, changed, or empty. A hidden count is drawn as none. */
function cellChart(table: string, columns: Record<string, Column>, speech: DisclosureSpeech): Html {
  const { say } = speech
  const names = Object.keys(columns)
  const all = Object.values(columns)
  const parts = [
    ['same', colours[2], (of: Column) => (of.cells ?? 0) - (of.changed ?? 0)],
    ['changed', colours[1], (of: Column) => (of.changed ?? 0) - (of.emptied ?? 0)],
    ['emptiedCells', colours[5], (of: Column) => of.emptied ?? 0],
  ] as const
  return chartOf(
    {
      title: {
        text: speech.table(table),
        left: 0,
        top: 0,
        textStyle: { fontFamily: 'inherit', fontSize: 13, fontWeight: 'bold' },
      },
      legend: { top: 0, right: 20, itemWidth: 14, itemGap: 20 },
      grid: { left: 300, right: 40, top: 32, bottom: 26 },
      xAxis: { type: 'value', min: 0, max: 100, axisLabel: { formatter: '{value} %' } },
      yAxis: {
        type: 'category',
        inverse: true,
        axisTick: { show: false },
        axisLabel: { width: 285, overflow: 'truncate', fontSize: 11 },
        data: names.map((column) => speech.column({ table, column })),
      },
      series: parts.map(([word, color, of]) => ({
        name: say(word),
        type: 'bar',
        stack: 'cells',
        silent: true,
        barMaxWidth: 14,
        itemStyle: { color },
        data: all.map((column) => (column.cells ? (100 * of(column)) / column.cells : 0)),
      })),
    },
    {
      id: `utility-${table}`,
      title: `${say('utility')}: ${speech.table(table)}`,
      desc: say('utilityNote'),
      height: 66 + 20 * names.length,
    },
  )
}

function columnTable(
  table: string,
  columns: Record<string, Column>,
  speech: DisclosureSpeech,
): Html {
  const { say, count } = speech
  const words = ['column', 'cells', 'changed', 'emptiedCells'] as const
  const means = ['meanBefore', 'meanAfter', 'meanShift'] as const
  const rows = Object.entries(columns).map(([column, of]) => [
    speech.column({ table, column }),
    count(of.cells),
    withShare(of.changed, of.cells, speech),
    withShare(of.emptied, of.cells, speech),
    meanText(of.meanBefore),
    meanText(of.meanAfter),
    of.meanBefore === null || of.meanAfter === null ? '–' : meanText(of.meanAfter - of.meanBefore),
  ])
  const heads = [...words, ...means].map((word) => say(word))
  return tableOf(speech.table(table), heads, rows)
}

function withShare(part: number | null, whole: number | null, speech: DisclosureSpeech): string {
  const told = speech.count(part)
  return part === null || !whole ? told : `${told} (${speech.share(part / whole)})`
}

function meanText(mean: number | null): string {
  return mean === null ? '–' : String(Number(mean.toPrecision(4)))
}
