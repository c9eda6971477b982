import { quoteText, type Session } from './session.ts'

/**
 * Writes the serials of one agency that a linkage linked: CSV, one column `serial`, each serial once. They are sorted by
 * themselves, and serials are random, so their order tells nothing; nor is there anything else in the file.
 *
 * @param maps - the link maps of the agency's deliveries.
 * @returns how many there are.
 */
export async function writeExtraction(
  session: Session,
  maps: readonly string[],
  file: string,
): Promise<number> {
  const [copied] = await session.rows<{ Count: number }>(`
    copy (
      select distinct serial
      from read_parquet([${maps.map(quoteText).join(', ')}])
      where ordinal is not null
      order by serial
    ) to ${quoteText(file)} (format csv, header true)`)
  return copied?.Count ?? 0
}
