import { quoteText, type Session } from './session.ts'

/**
 * How many values of a sorted column repeat the one before them: told by neighbours, at a small part of what counting the
 * different ones costs.
 *
 * @param file - Parquet, written in order of the column, which has no NULL.
 * @throws {Error} where it is not in order: a defect of who wrote it.
 */
export async function repeatsIn(session: Session, file: string, column: string): Promise<number> {
  const [found] = await session.rows<{ repeats: number; falls: number }>(`
    select count(*) filter (value = before) as repeats, count(*) filter (value < before) as falls
    from (
      select ${column} as value, lag(${column}) over () as before
      from read_parquet(${quoteText(file)})
    )`)
  if (!found || found.falls > 0) throw new Error('a sorted file is not in order')
  return found.repeats
}
