import type { Difference, QualityCounts } from '../core/quality-counts.ts'
import { chartOf, colours, ink } from './chart.ts'
import { type Html, tableOf } from './html.ts'
import type { Speech } from './speech.ts'

/** How many differences are shown, the largest first. */
export const differencesShown = 25

/** A dot plot (love plot) of the largest standardised differences, and the same as a table. */
export function differenceCharts({ differences }: QualityCounts, speech: Speech): Html[] {
  const shown = differences
    .toSorted((a, b) => Math.abs(b.difference) - Math.abs(a.difference))
    .slice(0, differencesShown)
  if (shown.length === 0) return []
  const reach = Math.max(0.2, Math.abs(shown[0]?.difference ?? 0))
  const bound = Math.ceil(reach * 5) / 5
  const guide = { lineStyle: { color: '#888888', type: 'dashed' }, symbol: 'none', silent: true }
  const chart = chartOf(
    {
      grid: { left: 330, right: 40, top: 16, bottom: 30 },
      xAxis: { type: 'value', min: -bound, max: bound },
      yAxis: {
        type: 'category',
        inverse: true,
        data: shown.map((one) => nameOf(one, speech)),
        axisTick: { show: false },
        axisLabel: { width: 315, overflow: 'truncate', fontSize: 11 },
        splitLine: { show: true, lineStyle: { color: '#eeeeee' } },
      },
      series: [
        {
          type: 'scatter',
          silent: true,
          symbolSize: 9,
          data: shown.map(({ difference }, row) => ({
            value: [difference, row],
            itemStyle: { color: Math.abs(difference) > 0.1 ? colours[5] : colours[0] },
          })),
          markLine: {
            ...guide,
            label: { color: ink, fontSize: 10, formatter: '{c}' },
            data: [{ xAxis: -0.1 }, { xAxis: 0.1 }],
          },
        },
      ],
    },
    {
      id: 'difference',
      title: speech.say('differences'),
      desc: speech.say('differenceNote', { m: differencesShown }),
      height: 60 + 20 * shown.length,
    },
  )
  const heads = (['characteristic', 'linked', 'unlinked', 'difference'] as const).map((word) =>
    speech.say(word),
  )
  const rows = shown.map((one) => [
    nameOf(one, speech),
    meanOrShare(one.linked, one, speech),
    meanOrShare(one.unlinked, one, speech),
    one.difference.toFixed(3),
  ])
  return [chart, tableOf(speech.say('differences'), heads, rows)]
}

function nameOf({ agency, of, level }: Difference, speech: Speech): string {
  const what = level === null ? speech.say(of) : `${speech.say(of)}: ${speech.level(level)}`
  return `${speech.agency(agency)} · ${what}`
}

function meanOrShare(value: number, { level }: Difference, speech: Speech): string {
  return level === null ? value.toFixed(1) : speech.share(value)
}
