/** Token files say of themselves that they are sorted, so that what is written in the same order need not compare texts. */
import { quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

/** Of a file that is written in order of serial. */
export const sortedOptions = `${parquetOptions}, kv_metadata {sorted_by: 'serial'}`

/** How many rows each of some Parquet files has, and which were written so. */
export async function describeFiles(
  session: Session,
  files: readonly string[],
): Promise<{ rowsIn: ReadonlyMap<string, number>; sorted: ReadonlySet<string> }> {
  if (files.length === 0) return { rowsIn: new Map(), sorted: new Set() }
  const list = `[${files.map(quoteText).join(', ')}]`
  const rows = await session.rows<{ file: string; rows: number; isSorted: boolean }>(`
    select file_name as file, num_rows as rows, sorted.file_name is not null as "isSorted"
    from parquet_file_metadata(${list}) as meta
    left join (
      select distinct file_name
      from parquet_kv_metadata(${list})
      where key = 'sorted_by'::blob and value = 'serial'::blob
    ) as sorted using (file_name)`)
  return {
    rowsIn: new Map(rows.map((row) => [row.file, row.rows])),
    sorted: new Set(rows.filter(({ isSorted }) => isSorted).map(({ file }) => file)),
  }
}
