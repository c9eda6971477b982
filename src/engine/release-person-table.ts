import { quoteText, type Session } from './session.ts'

/**
 * Writes the table of persons of a release, in the order of pseudonyms: pseudonym VARCHAR, diagnosis_month VARCHAR
 * (`YYYY-MM`, NULL where no diagnosis is known).
 *
 * @param files - the list of `releasePersons`, and the Parquet and perhaps CSV file to write.
 * @returns the number of persons.
 */
export async function writePersonTable(
  session: Session,
  files: { persons: string; parquet: string; csv?: string },
): Promise<number> {
  const query = `select pseudonym, anchor_month as diagnosis_month
    from read_parquet(${quoteText(files.persons)}) order by rank`
  const [copied] = await session.rows<{ Count: number }>(
    `copy (${query}) to ${quoteText(files.parquet)} (format parquet, compression zstd)`,
  )
  if (files.csv !== undefined) {
    await session.run(`copy (${query}) to ${quoteText(files.csv)} (format csv, header true)`)
  }
  return copied?.Count ?? 0
}
