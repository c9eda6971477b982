/** Token files say of themselves that they are sorted, so that what is written in the same order need not compare texts. */
import { quoteText, type Session } from './session.ts'
import { parquetOptions } from './take-table.ts'

/** Of a file that is written in order of serial. */
export const sortedOptions = `${parquetOptions}, kv_metadata {sorted_by: 'serial'}`

/** Which of some files were written so. */
export async function sortedFiles(
  session: Session,
  files: readonly string[],
): Promise<ReadonlySet<string>> {
  if (files.length === 0) return new Set()
  const rows = await session.rows<{ file: string }>(`
    select file_name as file
    from parquet_kv_metadata([${files.map(quoteText).join(', ')}])
    where key = 'sorted_by'::blob and value = 'serial'::blob`)
  return new Set(rows.map(({ file }) => file))
}
