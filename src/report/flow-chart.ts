import type { Flow, QualityReport } from '../core/quality-report.ts'
import { chartOf, colours } from './chart.ts'
import { type Html, tableOf } from './html.ts'
import type { Speech } from './speech.ts'
import { isWord } from './words.ts'

/** Outcomes in the order of the bars; `unlinked` of the key side is `none`. */
const outcomes = ['founded', 'perfect', 'match', 'possible', 'conflict', 'quarantined', 'none']

/** Stacked bars, an agency each, and the same numbers as a table. */
export function flowCharts({ flow }: QualityReport, speech: Speech): Html[] {
  if (flow.length === 0) return []
  const shown = outcomes.filter((name) => flow.some((line) => recordsOf(line, name) !== undefined))
  const wordOf = (name: string): string => (isWord(name) ? speech.say(name) : name)
  const bars = [
    ...shown.filter(isOfLinked),
    'linkedRest',
    ...shown.filter((name) => !isOfLinked(name)),
    'unlinkedRest',
  ]
  const series = bars
    .filter((name) => isWord(name) && flow.some((line) => shareOf(line, name) > 0))
    .map((name) => ({
      name: wordOf(name),
      type: 'bar',
      stack: 'all',
      silent: true,
      barMaxWidth: 26,
      itemStyle: { color: colourOf(name) },
      data: flow.map((line) => shareOf(line, name)),
    }))
  const chart = chartOf(
    {
      legend: { top: 0, left: 'center', itemWidth: 14, itemGap: 26 },
      grid: { left: 170, right: 30, top: 34, bottom: 30 },
      xAxis: { type: 'value', min: 0, max: 100, axisLabel: { formatter: '{value} %' } },
      yAxis: {
        type: 'category',
        inverse: true,
        axisTick: { show: false },
        axisLabel: { width: 155, overflow: 'truncate' },
        data: flow.map(({ agency }) => speech.agency(agency)),
      },
      series,
    },
    {
      id: 'flow',
      title: speech.say('flow'),
      desc: speech.say('flowNote'),
      height: 70 + 44 * flow.length,
    },
  )
  return [chart, flowTable(flow, shown, speech)]
}

/** Agencies across, so that it fits on paper however many outcomes there are. */
function flowTable(flow: readonly Flow[], shown: readonly string[], speech: Speech): Html {
  const rowOf = (word: string, text: (line: Flow) => string): string[] => [
    isWord(word) ? speech.say(word) : word,
    ...flow.map(text),
  ]
  const rows = [
    rowOf('delivered', ({ delivered }) => speech.count(delivered)),
    rowOf('withK1', ({ withK1 }) => speech.count(withK1)),
    rowOf('linked', ({ linked }) => few(linked, speech)),
    rowOf('unlinked', ({ unlinked }) => few(unlinked, speech)),
    rowOf('duplicates', ({ duplicates }) => few(duplicates, speech)),
    ...shown.map((name) =>
      rowOf(name, (line) => {
        const records = recordsOf(line, name)
        return records === undefined ? '–' : speech.count(records)
      }),
    ),
  ]
  const heads = ['', ...flow.map(({ agency }) => speech.agency(agency))]
  return tableOf(speech.say('flow'), heads, rows)
}

function recordsOf({ outcomes: of }: Flow, name: string): number | null | undefined {
  return of.find(({ outcome }) => (outcome === 'unlinked' ? 'none' : outcome) === name)?.records
}

function isOfLinked(name: string): boolean {
  return ['founded', 'perfect', 'match'].includes(name)
}

function colourOf(name: string): string {
  if (name === 'linkedRest') return '#b7d4ea'
  if (name === 'unlinkedRest') return '#dddddd'
  return colours[outcomes.indexOf(name)] ?? '#dddddd'
}

/** Percent of what is known of the agency's records; a rest is what a sum has beyond the outcomes that are told. */
function shareOf(line: Flow, name: string): number {
  const all = line.delivered ?? (line.linked ?? 0) + (line.unlinked ?? 0)
  const told = (isLinked: boolean): number =>
    line.outcomes.reduce(
      (sum, one) => sum + (one.isLinked === isLinked ? (one.records ?? 0) : 0),
      0,
    )
  const rests: Record<string, number> = {
    linkedRest: (line.linked ?? told(true)) - told(true),
    unlinkedRest: (line.unlinked ?? told(false)) - told(false),
  }
  const records = rests[name] ?? recordsOf(line, name) ?? 0
  return all === 0 ? 0 : (100 * records) / all
}

/** A sum of its own can only be hidden for being small. */
function few(count: number | null, { count: written, threshold }: Speech): string {
  return count === null ? `<${threshold}` : written(count)
}
