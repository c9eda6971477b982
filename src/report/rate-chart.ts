import type { RateCell, RateTable } from '../core/quality-counts.ts'
import { chartOf, chartWidth, colours, ink } from './chart.ts'
import { type Html, tableOf } from './html.ts'
import { fewRange, type Speech } from './speech.ts'

/** One panel an agency: the rate of each year with its interval. */
export function rateChart(
  tables: readonly RateTable[],
  about: { id: string; title: string; desc: string },
  speech: Speech,
): Html[] {
  const panels = tables.filter(({ by }) => by.length === 1 && by[0] === 'year')
  const drawn = panels.filter((table) =>
    yearsOf(table).some((cell) => markOf(cell, speech.threshold)),
  )
  if (drawn.length === 0) return []
  const columns = drawn.length === 1 ? 1 : 2
  const width = (chartWidth - 20) / columns
  const placeOf = (at: number): { left: number; top: number } => ({
    left: (at % columns) * width + 52,
    top: Math.floor(at / columns) * panelHeight + 40,
  })
  const height = Math.ceil(drawn.length / columns) * panelHeight + 10
  const option = {
    title: drawn.map(({ agency }, at) => ({
      text: speech.agency(agency),
      left: placeOf(at).left - 44,
      top: placeOf(at).top - 36,
      textStyle: { fontFamily: 'inherit', fontSize: 13, fontWeight: 'bold', color: ink },
    })),
    grid: drawn.map((_, at) => ({ ...placeOf(at), width: width - 78, height: panelHeight - 78 })),
    xAxis: drawn.map((table, gridIndex) => ({
      type: 'category',
      gridIndex,
      data: yearsOf(table).map(({ levels }) => speech.level(levels[0] ?? '')),
      axisTick: { show: false },
    })),
    yAxis: drawn.map((table, gridIndex) => ({
      type: 'value',
      gridIndex,
      min: lowestOf(table, speech.threshold),
      max: 100,
      axisLabel: { formatter: '{value} %' },
      splitLine: { lineStyle: { color: '#e5e5e5' } },
    })),
    series: drawn.map((table, at) => seriesOf(table, at, speech.threshold)),
  }
  return [chartOf(option, { ...about, height })]
}

const panelHeight = 220

function yearsOf({ cells }: RateTable): RateCell[] {
  return cells.filter(({ levels }) => levels[0] !== 'unknown')
}

type Mark = { low: number; high: number; rate: number | null }

function markOf(cell: RateCell, threshold: number): Mark | undefined {
  const { rate, low, high } = cell
  if (rate !== null && low !== null && high !== null) return { rate, low, high }
  const range = fewRange(cell, threshold)
  return range && { ...range, rate: null }
}

/** The axis begins at 0, or at a round number below everything if that is above 50 %. */
function lowestOf(table: RateTable, threshold: number): number {
  const marks = yearsOf(table).flatMap((cell) => markOf(cell, threshold) ?? [])
  const lowest = Math.min(...marks.map(({ low }) => low)) * 100
  if (lowest >= 95) return 94
  return lowest > 50 ? Math.floor(lowest / 10) * 10 : 0
}

/** A line from low to high, with a dot at the rate, or hollow in the middle where only the range is known. */
function seriesOf(table: RateTable, at: number, threshold: number): Record<string, unknown> {
  const data = yearsOf(table).flatMap((cell, place) => {
    const mark = markOf(cell, threshold)
    if (!mark) return []
    const { low, high, rate } = mark
    const middle = rate ?? (low + high) / 2
    return [[place, middle * 100, low * 100, high * 100, rate === null ? 0 : 1]]
  })
  type Api = { value: (at: number) => number; coord: (point: number[]) => [number, number] }
  const renderItem = (_: unknown, api: Api): Record<string, unknown> => {
    const place = api.value(0)
    const [x, y] = api.coord([place, api.value(1)])
    const [, low] = api.coord([place, api.value(2)])
    const [, high] = api.coord([place, api.value(3)])
    const line = (x1: number, y1: number, x2: number, y2: number) => ({
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style: { stroke: colours[0], lineWidth: 1.5 },
    })
    const fill = api.value(4) === 1 ? colours[0] : '#ffffff'
    return {
      type: 'group',
      children: [
        line(x, low, x, high),
        line(x - 4, low, x + 4, low),
        line(x - 4, high, x + 4, high),
        {
          type: 'circle',
          shape: { cx: x, cy: y, r: 4 },
          style: { fill, stroke: colours[0], lineWidth: 1.5 },
        },
      ],
    }
  }
  return { type: 'custom', silent: true, xAxisIndex: at, yAxisIndex: at, data, renderItem }
}

/** One table a dimension: levels down, agencies across; the first line is all of them. */
export function rateTables(tables: readonly RateTable[], title: string, speech: Speech): Html[] {
  const agencies = [...new Set(tables.map(({ agency }) => agency))]
  const heads = [...agencies.map((agency) => speech.agency(agency))]
  const dimensions = [...new Set(tables.flatMap(({ by }) => (by.length === 1 ? by : [])))]
  const cellOf = (agency: string, by: string, level: string): RateCell | undefined =>
    tables
      .find((table) => table.agency === agency && table.by.join(' ') === by)
      ?.cells.find(({ levels }) => (levels[0] ?? '') === level)
  const total = agencies.map((agency) => speech.rate(cellOf(agency, '', '')))
  const whole = tableOf(title, ['', ...heads], [[speech.say('total'), ...total]])
  const parts = dimensions.map((dimension) => {
    const of = tables.filter(({ by }) => by.length === 1 && by[0] === dimension)
    const levels = [
      ...new Set(of.flatMap(({ cells }) => cells.map((cell) => cell.levels[0] ?? ''))),
    ]
    const rows = levels
      .sort(byLevel)
      .map((level) => [
        speech.level(level),
        ...of.map(({ agency }) => speech.rate(cellOf(agency, dimension, level))),
      ])
    const caption = `${title} – ${speech.say(dimension)}`
    return tableOf(
      caption,
      [speech.say(dimension), ...of.map((one) => speech.agency(one.agency))],
      rows,
    )
  })
  return [whole, ...parts]
}

function byLevel(a: string, b: string): number {
  const last = (level: string): number => ['unknown', 'other'].indexOf(level) + 1
  const rank = last(a) === 0 && last(b) === 0 ? 0 : last(b) === 0 ? 1 : last(a) === 0 ? -1 : 0
  return rank || (a < b ? -1 : Number(a > b))
}
