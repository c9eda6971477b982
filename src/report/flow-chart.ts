import type { Flow, QualityReport, WaveFlow } from '../core/quality-report.ts'
import { chartOf, colours } from './chart.ts'
import { type Html, tableOf } from './html.ts'
import type { Speech } from './speech.ts'

const passColours = ['#5b5b5b', '#0072b2', '#56b4e9', '#7a5195', '#009e73', '#66c2a5', '#b3de69']
const unlinkedNames = ['possible', 'conflict', 'quarantined', 'none'] as const
const unlinkedColours = [colours[3], colours[4], colours[5], '#999999']

/** Stacked bars, an agency each, and the same numbers as a table; then wave by wave, where an agency has several. */
export function flowCharts({ flow, waves }: QualityReport, speech: Speech): Html[] {
  if (flow.length === 0) return []
  const series = barsOf(flow, speech)
    .map(({ name, colour, records }) => ({
      name,
      type: 'bar',
      stack: 'all',
      silent: true,
      barMaxWidth: 26,
      itemStyle: { color: colour },
      data: flow.map((line) => (100 * records(line)) / wholeOf(line)),
    }))
    .filter(({ data }) => data.some((share) => share > 0))
  const chart = chartOf(
    {
      legend: { top: 0, left: 'center', width: 860, itemWidth: 14, itemGap: 28 },
      grid: { left: 170, right: 30, top: 64, bottom: 30 },
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
      height: 100 + 44 * flow.length,
    },
  )
  const severals = flow.flatMap((line) => {
    const own = waves.filter(({ agency }) => agency === line.agency)
    return own.length > 1 ? [waveTable(line, own, speech)] : []
  })
  return [chart, flowTable({ flow, waves }, speech), ...severals]
}

type Bar = { name: string; colour: string | undefined; records: (line: Flow) => number }

/** Passes that linked, the rest of the linked, what came of the others, and their rest. */
function barsOf(flow: readonly Flow[], speech: Speech): Bar[] {
  const linked = passesOf(flow).map((pass) => ({
    name: `${speech.say('pass')} ${pass}`,
    colour: pass === '9' ? '#004c7a' : passColours[Number(pass)],
    records: ({ linkedByPass }: Flow) => linkedByPass[pass] ?? 0,
  }))
  const unlinked = unlinkedNames.map((name, at) => ({
    name: speech.say(name),
    colour: unlinkedColours[at],
    records: (line: Flow) => line.unlinked[name] ?? 0,
  }))
  const linkedRest = {
    name: speech.say('linkedRest'),
    colour: '#b7d4ea',
    records: (line: Flow) => (line.linked === null ? 0 : line.linked - sumOf(line.linkedByPass)),
  }
  const unlinkedRest = {
    name: speech.say('unlinkedRest'),
    colour: '#dddddd',
    records: (line: Flow) =>
      line.delivered === null || line.linked === null
        ? 0
        : line.delivered - line.linked - sumOf(line.unlinked),
  }
  const hidden = {
    name: speech.say('hiddenRest'),
    colour: '#f0f0f0',
    records: (line: Flow) =>
      line.delivered === null || line.linked !== null
        ? 0
        : line.delivered - sumOf(line.linkedByPass) - sumOf(line.unlinked),
  }
  return [...linked, linkedRest, ...unlinked, unlinkedRest, hidden]
}

/** What a bar of 100 % is: all that was delivered, or all that is told. */
function wholeOf(line: Flow): number {
  return line.delivered ?? (sumOf(line.linkedByPass) + sumOf(line.unlinked) || 1)
}

function sumOf(counts: Flow['linkedByPass']): number {
  return Object.values(counts).reduce((sum: number, count) => sum + (count ?? 0), 0)
}

type Counts = Omit<Flow, 'withKey' | 'setAside'>

function passesOf(flow: readonly Counts[]): string[] {
  return [...new Set(flow.flatMap(({ linkedByPass }) => Object.keys(linkedByPass)))].sort()
}

/** A line of a table: what it counts, and that of each column. */
type Row<Column> = [name: string, of: (column: Column) => number | null | undefined]

/** Agencies across, so that it fits on paper however many passes there are. */
function flowTable({ flow, waves }: Pick<QualityReport, 'flow' | 'waves'>, speech: Speech): Html {
  const keys = [...new Set(flow.flatMap(({ withKey }) => Object.keys(withKey)))].sort()
  const [delivered, ...outcomes] = rowsOf(flow, speech)
  const withKey = keys.flatMap((key): Row<Flow>[] => [
    [speech.say('withKey', { key }), (line) => line.withKey[key]],
    [speech.say('setAside', { key }), (line) => line.setAside[key]],
  ])
  const sensitivity = (['passes1to2', 'passes1to6', 'withPossible'] as const).map(
    (name): Row<Flow> => [speech.say(name), (line) => line.sensitivity[name]],
  )
  const rows = [...(delivered ? [delivered] : []), ...withKey, ...outcomes, ...sensitivity]
  const heads = flow.map((line) => {
    const own = waves.filter(({ agency }) => agency === line.agency)
    const agency = speech.agency(line.agency)
    return speech.say('inWaves', { agency, waves: own.map(({ wave }) => wave).join(', ') })
  })
  return tableOf(speech.say('flowTable'), ['', ...heads], written(rows, flow, speech))
}

/** Waves across, all of them together last: a serial that several waves bring is one. */
function waveTable(whole: Flow, waves: readonly WaveFlow[], speech: Speech): Html {
  const heads = [
    '',
    ...waves.map(({ wave }) => speech.say('wave', { n: wave })),
    speech.say('total'),
  ]
  const caption = speech.say('waveFlow', { agency: speech.agency(whole.agency) })
  return tableOf(caption, heads, written(rowsOf([whole], speech), [...waves, whole], speech))
}

function rowsOf(flow: readonly Counts[], speech: Speech): Row<Counts>[] {
  return [
    [speech.say('delivered'), ({ delivered }) => delivered],
    [speech.say('valid'), ({ valid }) => valid],
    [speech.say('linked'), ({ linked }) => linked],
    ...passesOf(flow).map(
      (pass): Row<Counts> => [
        `${speech.say('pass')} ${pass}`,
        ({ linkedByPass }) => linkedByPass[pass],
      ],
    ),
    ...unlinkedNames.map(
      (name): Row<Counts> => [speech.say(name), ({ unlinked }) => unlinked[name]],
    ),
    [speech.say('duplicates'), ({ duplicates }) => duplicates],
    [speech.say('distinct'), ({ distinct }) => distinct],
  ]
}

function written<Column>(
  rows: readonly Row<Column>[],
  columns: readonly Column[],
  speech: Speech,
): string[][] {
  return rows.map(([name, of]) => [
    name,
    ...columns.map((column) => {
      const count = of(column)
      return count === undefined ? '–' : speech.count(count)
    }),
  ])
}
