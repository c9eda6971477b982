/**
 * The quality report as one table for spreadsheets and scripts: a line a number, none that the JSON does not tell. UTF-8
 * with a mark that says so, CRLF (RFC 4180); a cell that a spreadsheet would run begins with an apostrophe.
 */
import { cellOf } from './csv-cell.ts'
import type { QualityCounts } from './quality-counts.ts'
import type { Change, Flow, QualityReport } from './quality-report.ts'

const columns = ['section', 'agency', 'wave', 'by', 'level', 'measure', 'value', 'mask'] as const

/** One number and what it is of. A number that is not told has no value, and a mask that says so. */
type Line = { section: string; measure: string; value: number | null } & Partial<
  Record<'agency' | 'wave' | 'by' | 'level' | 'mask', string>
>

/** The table as CSV. */
export function qualityTable(report: QualityReport): string {
  const lines: Line[] = [
    { section: 'linkage', measure: 'persons', value: report.persons },
    { section: 'linkage', measure: 'cases', value: report.cases },
    ...numbersOf('hubs', report.hubs),
    ...numbersOf('notices', report.notices),
    ...report.flow.flatMap((flow) => [
      ...flowLines(flow),
      ...numbersOf('flow', flow.withKey, { agency: flow.agency, by: 'with-key' }),
      ...numbersOf('flow', flow.setAside, { agency: flow.agency, by: 'key-set-aside' }),
    ]),
    ...report.waves.flatMap(({ wave, ...flow }) => flowLines(flow, String(wave))),
    ...(report.change ? changeLines(report.change) : []),
    ...report.tables.flatMap(({ table, ...rows }) =>
      numbersOf('rows', rows, { by: 'table', level: table }),
    ),
    ...(report.counts ? countLines(report.counts) : []),
  ]
  const rows = lines.map((line) => {
    const mask = line.mask ?? (line.value === null ? 'hidden' : 'none')
    const told = { ...line, value: line.value === null ? '' : String(line.value), mask }
    return columns.map((column) => (column === 'value' ? told.value : cellOf(told[column] ?? '')))
  })
  return `\ufeff${[columns, ...rows].map((row) => row.join(',')).join('\r\n')}\r\n`
}

function numbersOf(
  section: string,
  numbers: Readonly<Record<string, number | null>>,
  of: Pick<Line, 'agency' | 'wave' | 'by' | 'level' | 'mask'> = {},
): Line[] {
  return Object.entries(numbers).map(([measure, value]) => ({ section, ...of, measure, value }))
}

function flowLines(flow: Omit<Flow, 'withKey' | 'setAside'>, wave?: string): Line[] {
  const { agency, isSpine: _, linkedByPass, unlinked, sensitivity, ...counts } = flow
  const of = { agency, ...(wave === undefined ? {} : { wave }) }
  const section = wave === undefined ? 'flow' : 'wave'
  return [
    ...numbersOf(section, counts, of),
    ...numbersOf(section, linkedByPass, { ...of, by: 'linked-by-pass' }),
    ...numbersOf(section, unlinked, { ...of, by: 'unlinked' }),
    ...numbersOf(section, sensitivity, { ...of, by: 'sensitivity' }),
  ]
}

function changeLines({ previous, cases, rates, ...counts }: Change): Line[] {
  const shareOf = (rate: Change['rates'][number]['now']): number | null => rate?.share ?? null
  return [
    ...numbersOf('change', counts),
    ...numbersOf('change', cases, { by: 'cases' }),
    ...rates.flatMap(({ agency, before, now, drift }) => {
      const shares = { before: shareOf(before), drift }
      const of = { agency, by: 'rate' }
      return numbersOf('change', { now: shareOf(now), ...(previous === null ? {} : shares) }, of)
    }),
  ]
}

/** What the data side counted; masks as it gave them. */
function countLines({ rates, differences, checks, overlap }: QualityCounts): Line[] {
  return [
    ...rates.flatMap(({ basis, agency, by, cells }) =>
      cells.flatMap(({ levels, mask, ...counts }) =>
        numbersOf(`rate of ${basis}`, counts, { agency, ...joined(by, levels), mask }),
      ),
    ),
    ...differences.flatMap(({ agency, of, level, ...numbers }) =>
      numbersOf('difference', numbers, { agency, by: of, ...(level === null ? {} : { level }) }),
    ),
    ...checks.flatMap(({ rule, agency, pass, mask, ...counts }) =>
      numbersOf('implausible', counts, {
        agency,
        by: pass === null ? rule : `${rule} and pass`,
        ...(pass === null ? {} : { level: pass }),
        mask,
      }),
    ),
    ...overlap.map(({ agencies, persons }) => ({
      section: 'overlap',
      by: 'agencies',
      level: agencies === null ? 'others pooled' : agencies.join(' and '),
      measure: 'persons',
      value: persons,
    })),
  ]
}

function joined(by: readonly string[], levels: readonly string[]): Pick<Line, 'by' | 'level'> {
  return { by: by.join(' and '), level: levels.join(' and ') }
}
