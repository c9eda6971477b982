/** The worklist as a table for a spreadsheet. */
import { cellOf } from './csv-cell.ts'
import type { LinkCase } from './link-case.ts'

/** A case as far as the table tells it. */
export type SheetCase = LinkCase & {
  state: string
  decision: string | null
  pending: string | null
  pendingBy: string | null
  answer: string | null
  sex: string | null
  ageBand: string | null
  year: number | null
  recordSex: string | null
  recordAgeBand: string | null
}

/** The columns in order. How the keys agree stands in words, a column each. */
export const caseColumns = [
  ...['case', 'kind', 'state', 'agency', 'wave', 'pass', 'K1', 'K2', 'K3', 'K4', 'K5'],
  ...['candidates', 'name_shared', 'decision', 'pending', 'pending_by', 'answer'],
  ...['sex', 'age_band', 'year', 'record_sex', 'record_age_band'],
] as const

const agreements: Readonly<Record<string, string>> = {
  '=': 'agrees',
  x: 'differs',
  '-': 'missing',
  n: 'notice',
}

/** CSV with a header, in UTF-8 with the mark that spreadsheets want. No cell is a formula. */
export function caseSheet(cases: readonly SheetCase[]): string {
  const lines = cases.map((each) => {
    const keys = Array.from({ length: 5 }, (_, at) => agreements[each.pattern?.[at] ?? ''] ?? '')
    const { caseId, kind, state, agency, wave, pass, candidates, nameShared } = each
    const { decision, pending, pendingBy, answer } = each
    const found = [caseId, kind, state, agency, wave, pass, ...keys, candidates, nameShared]
    const { sex, ageBand, year, recordSex, recordAgeBand } = each
    const said = [decision, pending, pendingBy, answer]
    const row = [...found, ...said, sex, ageBand, year, recordSex, recordAgeBand]
    return row.map((cell) => cellOf(String(cell ?? ''))).join(',')
  })
  return `\ufeff${[caseColumns.join(','), ...lines].join('\r\n')}\r\n`
}
