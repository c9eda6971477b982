import type { ToldDisclosure } from '../core/told-disclosure.ts'
import { chartOf, colours } from './chart.ts'
import type { DisclosureSpeech } from './disclosure-speech.ts'
import { type Html, tableOf } from './html.ts'

type Measured = NonNullable<ToldDisclosure['measured']>

const whens = ['before', 'underRules', 'after'] as const
const colourOf = { before: '#999999', underRules: colours[1], after: colours[0] }

/** Shares of persons below each k, three bars a k, and all measures as a table. */
export function classCharts(measured: Measured, speech: DisclosureSpeech): Html[] {
  const ks = measured.after.below.map(({ k }) => k)
  const chart = chartOf(
    {
      legend: { top: 0, left: 'center', itemWidth: 14, itemGap: 24 },
      grid: { left: 60, right: 20, top: 40, bottom: 30 },
      xAxis: {
        type: 'category',
        axisTick: { show: false },
        data: ks.map((k) => speech.say('below', { k })),
      },
      yAxis: {
        type: 'value',
        min: 0,
        max: 100,
        axisLabel: { formatter: '{value} %' },
        splitLine: { lineStyle: { color: '#e5e5e5' } },
      },
      series: whens.map((when) => ({
        name: speech.say(when),
        type: 'bar',
        silent: true,
        barMaxWidth: 46,
        itemStyle: { color: colourOf[when] },
        label: { show: true, position: 'top', fontSize: 10, formatter: labelOf },
        data: measured[when].below.map(({ share }) => ({
          value: Math.round(share * 1000) / 10,
          name: speech.share(share),
        })),
      })),
    },
    {
      id: 'classes',
      title: speech.say('classes'),
      desc: speech.say('classesNote'),
      height: 260,
    },
  )
  return [chart, classTable(measured, ks, speech)]
}

function labelOf({ data }: { data: { name: string } }): string {
  return data.name
}

function classTable(measured: Measured, ks: readonly number[], speech: DisclosureSpeech): Html {
  const { say, count, share, number } = speech
  type Of = (classes: Measured['after']) => string
  const lines: [string, Of][] = [
    [say('records'), ({ records }) => count(records)],
    [say('classCount'), ({ classes }) => count(Math.round(classes))],
    [say('uniques'), ({ uniques }) => count(uniques)],
    [say('smallest'), ({ smallest }) => String(smallest)],
    [say('largest'), ({ largest }) => count(largest)],
    [say('highestRisk'), ({ highestRisk }) => number(highestRisk, 4)],
    [say('averageRisk'), ({ averageRisk }) => number(averageRisk, 4)],
    ...ks.map((k): [string, Of] => [
      say('below', { k }),
      ({ below }) => {
        const line = below.find((each) => each.k === k)
        return line ? `${count(line.records)} (${share(line.share)})` : '–'
      },
    ]),
  ]
  const heads = [say('measure'), ...whens.map((when) => say(when))]
  return tableOf(
    say('classes'),
    heads,
    lines.map(([name, of]) => [name, ...whens.map((when) => of(measured[when]))]),
  )
}
