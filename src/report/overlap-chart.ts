import type { Overlap, QualityCounts } from '../core/quality-counts.ts'
import { chartOf, chartWidth, colours, ink } from './chart.ts'
import { type Html, tableOf } from './html.ts'
import type { Speech } from './speech.ts'

const combinationsMax = 24
const left = 210

/** An UpSet plot (Lex 2014): a bar a combination, below it who is in it. */
export function overlapCharts(counts: QualityCounts, speech: Speech): Html[] {
  const { agencies, overlap } = counts
  if (overlap.length === 0) return []
  const shown = [...overlap]
    .filter((line) => line.agencies !== null)
    .sort((a, b) => b.persons - a.persons)
    .slice(0, combinationsMax)
  const pooled = overlap.filter((line) => line.agencies === null)
  const bars: Overlap[] = [...shown, ...(shown.length < combinationsMax ? pooled : [])]
  const rows = agencies.map((agency) => ({ agency, label: labelOf(counts, agency, speech) }))
  const barsHeight = 190
  const height = barsHeight + 60 + rows.length * 26
  const places = bars.map((_, at) => String(at))
  const width = Math.min(chartWidth - left - 20, Math.max(160, bars.length * 46))
  const option = {
    grid: [
      { left, width, top: 24, height: barsHeight },
      { left, width, top: barsHeight + 34, height: rows.length * 26 },
    ],
    xAxis: [0, 1].map((gridIndex) => ({
      type: 'category',
      gridIndex,
      data: places,
      axisLabel: { show: false },
      axisTick: { show: false },
      axisLine: { show: gridIndex === 0 },
    })),
    yAxis: [
      {
        type: 'value',
        gridIndex: 0,
        splitNumber: 4,
        splitLine: { lineStyle: { color: '#e5e5e5' } },
      },
      {
        type: 'category',
        gridIndex: 1,
        inverse: true,
        data: rows.map(({ label }) => label),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { width: left - 12, overflow: 'truncate' },
        splitArea: { show: true, areaStyle: { color: ['#f6f6f6', '#ffffff'] } },
      },
    ],
    series: [barsOf(bars, speech), dotsOf(bars, agencies, false), dotsOf(bars, agencies, true)],
  }
  const about = { title: speech.say('overlap'), desc: speech.say('overlapNote') }
  const chart = chartOf(option, { id: 'overlap', ...about, height })
  const caption = speech.say('overlap')
  const heads = [speech.say('combination'), speech.say('persons'), '%']
  const lines = [...overlap].map((line) => [
    nameOf(line, speech),
    speech.count(line.persons),
    speech.share(line.persons / counts.persons),
  ])
  return [chart, tableOf(caption, heads, lines)]
}

function labelOf({ rates }: QualityCounts, agency: string, speech: Speech): string {
  const whole = rates.find(
    (table) => table.basis === 'spine' && table.agency === agency && table.by.length === 0,
  )?.cells[0]
  return whole?.linked == null
    ? speech.agency(agency)
    : `${speech.agency(agency)} (${speech.count(whole.linked)})`
}

function nameOf({ agencies }: Overlap, speech: Speech): string {
  if (agencies === null) return speech.say('pooled')
  if (agencies.length === 0) return speech.say('spineOnly')
  return agencies.map((agency) => speech.agency(agency)).join(' + ')
}

function barsOf(bars: readonly Overlap[], speech: Speech): Record<string, unknown> {
  return {
    type: 'bar',
    silent: true,
    barMaxWidth: 26,
    itemStyle: { color: colours[0] },
    label: {
      show: true,
      position: 'top',
      fontSize: 9,
      color: ink,
      formatter: ({ dataIndex }: { dataIndex: number }) =>
        speech.count(bars[dataIndex]?.persons ?? 0),
    },
    data: bars.map(({ persons, agencies }) => ({
      value: persons,
      ...(agencies === null ? { itemStyle: { color: colours[6] } } : {}),
    })),
  }
}

function dotsOf(
  bars: readonly Overlap[],
  agencies: readonly string[],
  isIn: boolean,
): Record<string, unknown> {
  const data = bars.flatMap((bar, place) =>
    agencies.flatMap((agency, row) =>
      bar.agencies !== null && bar.agencies.includes(agency) === isIn ? [[place, row]] : [],
    ),
  )
  return {
    type: 'scatter',
    silent: true,
    xAxisIndex: 1,
    yAxisIndex: 1,
    symbolSize: isIn ? 12 : 8,
    itemStyle: { color: isIn ? ink : '#d5d5d5' },
    data,
  }
}
