import { hiddenCode, type ShownCell } from '../core/count-table.ts'
import { quoteText, type Session } from './session.ts'

/** The cells of a table of counts as its file shows them, in whatever names its columns have. */
export async function readCounts(session: Session, path: string): Promise<ShownCell[]> {
  const rows = await session.rows<{ row: string; column: string; count: string }>(`
    select * from read_csv(${quoteText(path)}, skip = 1, header = false, all_varchar = true, delim = ',',
      quote = '"', escape = '"', nullstr = '', names = ['row', 'column', 'count'])`)
  return rows.map(({ row, column, count }) => ({
    row,
    column,
    count: count === hiddenCode ? undefined : Number(count),
  }))
}
