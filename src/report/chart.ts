/** Charts as SVG text, made here on the server: ECharts without a browser, and without what only a browser needs. */
import { BarChart, CustomChart, ScatterChart } from 'echarts/charts'
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { escaped, type Html } from './html.ts'

use([
  BarChart,
  CustomChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  ScatterChart,
  SVGRenderer,
  TitleComponent,
])

/** Colours that the colour-blind tell apart (Okabe, Ito 2008), dark enough on white paper. */
export const colours = ['#0072b2', '#56b4e9', '#009e73', '#cc79a7', '#e69f00', '#d55e00', '#999999']
export const ink = '#333333'

/** Pixels; the page is 920 wide on a screen. */
export const chartWidth = 920

/**
 * The chart of an option of ECharts.
 *
 * @param about - `title` and `desc` are read aloud in its place; `id` is unique on the page.
 */
export function chartOf(
  option: Record<string, unknown>,
  about: { id: string; title: string; desc: string; height: number },
): Html {
  const { id, title, desc, height } = about
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: chartWidth, height })
  let svg: string
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: 'inherit', color: ink, fontSize: 12 },
      ...option,
    })
    svg = chart.renderToSVGString()
  } finally {
    chart.dispose() // Or its clock keeps the process alive.
  }
  const plain = svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:ecmeta_\w+|class|xmlns(?::\w+)?|baseProfile|version|xml:space)="[^"]*"/g, '')
    .trim()
  const inside = plain.slice(plain.indexOf('>') + 1)
  const names = `<title id="${id}-t">${escaped(title)}</title><desc id="${id}-d">${escaped(desc)}</desc>`
  const labels = `role="img" aria-labelledby="${id}-t ${id}-d"`
  const box = `viewBox="0 0 ${chartWidth} ${height}" width="${chartWidth}" height="${height}"`
  return { html: `<figure><svg ${box} ${labels}>${names}${inside}</figure>` }
}
